import { useEffect, useState } from 'preact/hooks'

/** What follows `#/`: the page, and what of it. */
interface Route {
  readonly page: string
  readonly rest: string
}

export function useRoute(): Route {
  const [route, setRoute] = useState(routeNow)
  useEffect(() => {
    const onChange = () => setRoute(routeNow())
    addEventListener('hashchange', onChange)
    return () => removeEventListener('hashchange', onChange)
  }, [])
  return route
}

function routeNow(): Route {
  const [page = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/')
  return { page, rest: rest.join('/') }
}
