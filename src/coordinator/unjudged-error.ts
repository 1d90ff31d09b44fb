/** The anchors could not be judged at the present tip: the node is catching up, or blocks come faster than they are read. */
export class UnjudgedError extends Error {
  override readonly name = 'UnjudgedError'
  readonly code = 'anchors_unjudged'
}
