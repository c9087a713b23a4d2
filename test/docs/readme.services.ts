import '../helpers/real-redis'
import './readme.test'
