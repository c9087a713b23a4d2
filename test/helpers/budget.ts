/** What Node.js and nginx let pass unless told otherwise, in bytes. The page docs/cookies.md says the same. */

export const NODE_HEADERS = 16 * 1024
/** `large_client_header_buffers 4 8k`: one line of the request, with its name and its end. */
export const NGINX_REQUEST_LINE = 8 * 1024
/** What is left of that for the cookies themselves. */
export const NGINX_COOKIES = NGINX_REQUEST_LINE - 'Cookie: \r\n'.length
/** `proxy_buffer_size`: one page of memory, here for the whole head of the response. */
export const NGINX_RESPONSE_HEAD = 4 * 1024
