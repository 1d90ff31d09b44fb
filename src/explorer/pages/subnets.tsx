import { type Subnet, subnetsAnswer } from '../../api/answers.ts'
import { subsidyWeight } from '../../rules/subsidy-weight.ts'
import { formatBytes, formatCount } from '../format.ts'
import { Answered } from '../parts/answered.tsx'
import { Hash } from '../parts/hash.tsx'
import { lazily } from '../parts/lazily.tsx'
import { Sats } from '../parts/sats.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { useAnswer } from '../use-answer.ts'

const Energy = lazily(async () => (await import('../parts/energy.tsx')).Energy)

type Model = Subnet['models'][number]

const COLUMNS: readonly Column<Model>[] = [
  { head: 'Model', cell: ({ name }) => name },
  {
    head: 'Units for one row',
    align: 'right',
    wide: true,
    cell: ({ unitsPerItem }) => formatCount(unitsPerItem),
  },
  { head: 'Compared', wide: true, cell: ({ profile }) => profile.comparison },
  { head: 'Runs on', cell: ({ profile }) => `${profile.provider}, ${profile.device}` },
  { head: 'ONNX Runtime', wide: true, cell: ({ profile }) => profile.ort },
  { head: 'Licence', wide: true, cell: ({ spdx, source }) => <span title={source}>{spdx}</span> },
  {
    head: 'File',
    align: 'right',
    cell: ({ bytes, digest }) => <a href={`/blobs/${digest}`}>{formatBytes(bytes)}</a>,
  },
  { head: 'SHA-256', wide: true, cell: ({ digest }) => <Hash hex={digest} /> },
]

export function Subnets() {
  const subnets = useAnswer('/v1/subnets', subnetsAnswer)
  return (
    <>
      <div class="head">
        <h1>Subnets</h1>
        <p class="soft">
          A market with one objective: which models are run, how results are compared, and what share of the
          subsidy it gets. A unit of work is one multiply–accumulate.
        </p>
      </div>
      <Answered answer={subnets}>
        {(all) =>
          all.length === 0 ? (
            <p class="empty">
              The first subnet will stand here when the operator has defined it and its epoch has begun.
            </p>
          ) : (
            <>
              {all.map((subnet) => (
                <One
                  key={subnet.name}
                  subnet={subnet}
                  totalWeight={all.reduce((sum, one) => sum + subsidyWeight(one), 0n)}
                />
              ))}
              <Energy />
            </>
          )
        }
      </Answered>
    </>
  )
}

function One({ subnet, totalWeight }: { subnet: Subnet; totalWeight: bigint }) {
  const {
    name,
    objective,
    privacy,
    weight,
    auditFloor,
    dataset,
    priceMsat,
    nextPriceMsat,
    itemsDone,
    earnedMsat,
    models,
  } = subnet
  const share =
    totalWeight === 0n ? 0 : Math.round((Number(subsidyWeight(subnet)) / Number(totalWeight)) * 1000) / 10
  const floor = Math.round((auditFloor.numerator / auditFloor.denominator) * 1000) / 10
  const pairs = dataset === null ? 0 : dataset.items * models.length
  return (
    <section class="card" aria-label={`Subnet ${name}`}>
      <h2>{name}</h2>
      <dl class="figures">
        <div>
          <dt>Objective</dt>
          <dd>
            {objective.name}
            {objective.name === 'latency' && (
              <small>
                paid in full up to {formatCount(objective.targetMs)} ms from lease to answer by the operator’s
                clock, less and less up to {formatCount(objective.limitMs)} ms
              </small>
            )}
            <small>
              {privacy === 'public'
                ? 'inputs and outputs are public'
                : 'private: only auditors see the bytes, outsiders can’t recheck the work'}
            </small>
          </dd>
        </div>
        <div>
          <dt>Share of the subsidy</dt>
          <dd>
            {share} %<small>{privacy === 'public' ? `weight ${formatCount(weight)}` : 'fees alone'}</small>
          </dd>
        </div>
        <div>
          <dt>Price of 10¹⁵ units</dt>
          <dd>
            {priceMsat === null ? '–' : priceMsat === 0n ? 'free' : <Sats msat={priceMsat} />}
            <small>
              {nextPriceMsat === null ? 'none quoted yet' : <Sats msat={nextPriceMsat} />} for the epoch to
              come
            </small>
          </dd>
        </div>
        <div>
          <dt>Earned so far</dt>
          <dd>
            <Sats msat={earnedMsat} />
            <small>all epochs together</small>
          </dd>
        </div>
        <div>
          <dt>Audited at least</dt>
          <dd>
            {floor} %<small>of receipts, by Bitcoin’s hashes</small>
          </dd>
        </div>
        {dataset !== null && (
          <div>
            <dt>Open dataset</dt>
            <dd>
              {formatCount(itemsDone)} <span class="unit">of {formatCount(pairs)}</span>
              <small>done; {formatCount(dataset.perEpoch)} offered each epoch</small>
            </dd>
          </div>
        )}
      </dl>
      <h3 class="hidden">Models</h3>
      <Table caption={`Models of ${name}`} columns={COLUMNS} rows={models} keyOf={({ digest }) => digest} />
    </section>
  )
}
