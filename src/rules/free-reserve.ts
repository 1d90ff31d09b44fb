/** What of the reserve may still be promised, msat: fees paid to miners and debts of an older log have used up the rest. */
export function freeReserveMsat(msatOf: (account: 'reserve' | 'fees' | 'inherited') => bigint): bigint {
  return msatOf('reserve') - msatOf('fees') - msatOf('inherited')
}
