import '../helpers/real-redis'
import './store-contract.test'
