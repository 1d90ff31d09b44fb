import type { ComponentChildren } from 'preact'

/** By path, in the order of the bar. */
export const TITLES = {
  '': 'Overview',
  anchors: 'Anchors',
  log: 'Log',
  epochs: 'Epochs',
  workers: 'Workers',
  subnets: 'Subnets',
  receipts: 'Receipts',
} as const

/** What stands around every page. `current` is the path of the page shown. */
export function Frame({ current, children }: { current: string; children: ComponentChildren }) {
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <header class="top">
        <div>
          <a class="brand" href="/#/">
            <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
              <path
                d="M16 2.5 28 9.5v13L16 29.5 4 22.5v-13z M10.5 22.5 16 10l5.5 12.5M12.6 18.3h6.8"
                fill="none"
                stroke="currentColor"
                stroke-width="2"
                stroke-linejoin="round"
                stroke-linecap="round"
              />
            </svg>
            Assay
          </a>
          <nav aria-label="Pages">
            <ul>
              {Object.entries(TITLES).map(([path, title]) => (
                <li key={path}>
                  <a href={`/#/${path}`} aria-current={current === path ? 'page' : undefined}>
                    {title}
                  </a>
                </li>
              ))}
              <li>
                <a href="/verify" aria-current={current === 'verify' ? 'page' : undefined}>
                  Verify
                </a>
              </li>
            </ul>
          </nav>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <footer class="bottom">
        Everything here is public and can be recomputed: from <a href="/log/checkpoint">the log</a>, its blobs
        and Bitcoin’s headers. <code>assay audit log</code> does so without asking for anybody’s word.
      </footer>
    </>
  )
}

function skip(): void {
  document.getElementById('main')?.focus()
}
