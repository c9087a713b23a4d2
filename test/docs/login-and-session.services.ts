import '../helpers/real-redis'
import './login-and-session.test'
