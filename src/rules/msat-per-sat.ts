export const MSAT_PER_SAT = 1000n
