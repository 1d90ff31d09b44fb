/** How a worker runs what leaves it the choice: on a CPU two processes of one thread do more than one of two. */
export const OWN_CHOICE = { optimization: 'all', threads: 1 } as const
