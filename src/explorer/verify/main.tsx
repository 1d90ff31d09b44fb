import '../without-eval.ts'
import { render } from 'preact'
import '../style.css'
import { Frame } from '../parts/frame.tsx'
import { Verify } from './verify.tsx'

render(
  <Frame current="verify">
    <Verify />
  </Frame>,
  document.getElementById('app') ?? document.body,
)
