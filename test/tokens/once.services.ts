import '../helpers/real-redis'
import './once.test'
