export const ORIGIN = 'assay.example/log'
export const SEED = new Uint8Array(32).fill(1)
