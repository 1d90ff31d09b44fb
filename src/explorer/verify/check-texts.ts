import type { CheckName } from '../../proof/proof-report.ts'

/** What each check means, in the order of the way from the receipt to the chain (PROTOCOL §5). */
export const CHECK_TEXTS: Readonly<Record<CheckName, { readonly title: string; readonly meaning: string }>> =
  {
    format: { title: 'The file is a proof', meaning: 'Its bytes have exactly the form of PROTOCOL §5.' },
    receipt: {
      title: 'It holds a receipt',
      meaning: 'The receipt says which job was done, on what kind of machine, and what came out, as a hash.',
    },
    submission: {
      title: 'It holds a submission header',
      meaning: 'A worker hands in many receipts at once, under one signature.',
    },
    receipt_path: {
      title: 'The receipt is in the submission',
      meaning: 'Hashing the receipt up its tree gives the root that the header names.',
    },
    submission_signature: {
      title: 'The worker signed it',
      meaning: 'A BIP-340 signature by the worker’s key, made for this log and no other.',
    },
    log_path: {
      title: 'The submission is in the log',
      meaning: 'Hashing its entry up the log’s tree (RFC 6962) gives a root.',
    },
    checkpoint_signature: {
      title: 'The log signed that root',
      meaning: 'An Ed25519 signature over the log’s name, its size and this very root.',
    },
    commitment: {
      title: 'A Bitcoin transaction commits to it',
      meaning:
        'The log’s head stands in the anchor transaction, and in the Taproot output that the next anchor must spend.',
    },
    transaction: {
      title: 'The transaction is whole',
      meaning: 'Its bytes are one transaction, and its id follows from them.',
    },
    branch: {
      title: 'The transaction is in the block',
      meaning: 'Hashing its id up the block’s Merkle tree gives the root in the block header.',
    },
    header_pow: {
      title: 'The block has proof of work',
      meaning: 'The header’s hash is below the target that the header names.',
    },
    header_chain: {
      title: 'The block is in the chain',
      meaning: 'The header is the one at this height in the headers that you chose.',
    },
  }
