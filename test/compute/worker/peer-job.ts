/** As the peer coordinator holds it, from its lease to its submission. */
export interface PeerJob {
  id: string
  bytes: Uint8Array
  salt: Uint8Array
  inputs: Uint8Array
  state: 'open' | 'leased' | 'answered' | 'submitted' | 'failed'
  receipt: string
  outputs: Uint8Array
}
