/** A long step, for a person who waits. `fraction` of the step, 0 to 1, where it is known. */
export interface Progress {
  readonly step: 'lock' | 'download' | 'unpack' | 'start'
  readonly detail?: string
  readonly fraction?: number
}

/** How a long action reports and is called off. */
export interface Watch {
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}
