/** One stream of server-sent events for the whole page, open while anything on it wants to know. */
let source: EventSource | null = null
const watchers = new Set<() => void>()

/** Calls `onNews` whenever the coordinator says that something has changed, or says nothing more. @returns how to stop */
export function watchNews(onNews: () => void): () => void {
  watchers.add(onNews)
  source ??= openSource()
  return () => {
    watchers.delete(onNews)
    if (watchers.size > 0) return
    source?.close()
    source = null
  }
}

/** False while the stream can't be had: then who wants news polls. */
export function newsComes(): boolean {
  return source?.readyState === EventSource.OPEN
}

/** The browser comes back by itself when the stream breaks, unless it was refused. */
function openSource(): EventSource {
  const opened = new EventSource('/v1/events')
  const tell = () => {
    for (const onNews of [...watchers]) onNews()
  }
  opened.addEventListener('state', tell)
  // That it broke is news, too: whoever asks now learns that nobody answers.
  opened.addEventListener('error', tell)
  return opened
}
