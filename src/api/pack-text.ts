import compression from 'compression'

/** JSON and text for who takes them packed; hashes, headers and proofs don't shrink. */
export const packText = compression()
