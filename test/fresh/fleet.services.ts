import '../helpers/real-redis'
import './fleet.test'
