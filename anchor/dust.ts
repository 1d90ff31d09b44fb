/** The least that a P2TR output may hold to be relayed (Bitcoin Core, policy/policy.cpp, GetDustThreshold). */
export const P2TR_DUST_SATS = 330n
