import '../helpers/real-redis'
import './store-load.test'
