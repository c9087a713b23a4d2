import '../helpers/real-redis'
import './redis-store.test'
