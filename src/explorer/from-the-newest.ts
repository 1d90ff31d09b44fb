/** A page of receipts before a place beyond any entry that there is: the newest. */
export const FROM_THE_NEWEST = `?before=${10 ** 15 - 1}.0`
