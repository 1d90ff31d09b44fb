import compression from 'compression'

/** Gzip of JSON and text for who takes it; hashes, headers and proofs don't shrink. */
export const packText = compression({
  filter: (_request, response) =>
    /^(application\/([\w.]+\+)?json|text\/plain)\b/.test(`${response.getHeader('content-type')}`),
})
