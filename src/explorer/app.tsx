import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Anchors } from './pages/anchors.tsx'
import { Epochs } from './pages/epochs.tsx'
import { Overview } from './pages/overview.tsx'
import { Receipts } from './pages/receipts.tsx'
import { Subnets } from './pages/subnets.tsx'
import { Workers } from './pages/workers.tsx'
import { Frame, TITLES } from './parts/frame.tsx'
import { lazily } from './parts/lazily.tsx'
import { useRoute } from './route.ts'

/** `rest`: what follows the page's name in the address. */
type Page = ComponentType<{ rest: string }>

const PAGES: Readonly<Record<keyof typeof TITLES, Page>> = {
  '': Overview,
  anchors: Anchors,
  log: lazily(async () => (await import('./pages/log.tsx')).Log),
  epochs: Epochs,
  workers: Workers,
  subnets: Subnets,
  receipts: Receipts,
}

export function App() {
  const { page: name, rest } = useRoute()
  const [title, Page] = isPage(name) ? [TITLES[name], PAGES[name]] : ['Not found', NotFound]
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${title} · Assay`
    // Who reads by ear starts at the new page's heading; the first page starts at the top by itself.
    if (!isFirst.current) {
      scrollTo(0, 0)
      document.getElementById('main')?.focus({ preventScroll: true })
    }
    isFirst.current = false
  }, [name, rest])
  return (
    <Frame current={name}>
      <Page key={`${name}/${rest}`} rest={rest} />
    </Frame>
  )
}

function isPage(name: string): name is keyof typeof TITLES {
  return Object.hasOwn(TITLES, name)
}

function NotFound() {
  return (
    <div class="head">
      <h1>Nothing is here</h1>
      <p>
        The address names no page of this log. <a href="#/">The overview</a> is where all of them begin.
      </p>
    </div>
  )
}
