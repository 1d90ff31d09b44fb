/** Where the runner process finds its sockets: the messages, and the lifeline (parent-watch.ts). */
export const REQUESTS_FD = 3
export const LIFELINE_FD = 4
