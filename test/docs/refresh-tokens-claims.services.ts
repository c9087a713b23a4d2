import '../helpers/real-redis'
import './refresh-tokens-claims.test'
