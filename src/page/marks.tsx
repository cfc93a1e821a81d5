import type { ChangeStep } from '../state/documents.js';

export type Mark = ChangeStep['state'] | 'blocked' | 'cancelled' | 'seen' | 'lost';

const WORDS: Readonly<Record<Mark, string>> = {
  done: 'done',
  running: 'running',
  waiting: 'waiting',
  next: 'next',
  failed: 'failed',
  blocked: 'blocked',
  cancelled: 'cancelled',
  seen: 'seen',
  lost: 'lost',
};

/** How far something is, as a sign and for screen readers in a word. */
export function Marked({ mark }: { mark: Mark }) {
  return (
    <span class={`mark ${mark}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {shape(mark)}
      </svg>
      <span class="unseen">{WORDS[mark]}: </span>
    </span>
  );
}

function shape(mark: Mark) {
  switch (mark) {
    case 'done':
      return <path d="m3 8.5 3.2 3.2L13 4.8" />;
    case 'failed':
    case 'blocked':
    case 'lost':
      return <path d="m4 4 8 8m0-8-8 8" />;
    case 'cancelled':
      return <path d="M3.5 8h9" />;
    case 'running':
      return <circle class="full" cx="8" cy="8" r="4" />;
    case 'waiting':
      return <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM8 5v3.3l2.2 1.4" />;
    case 'seen':
      return <circle class="full" cx="8" cy="8" r="2.5" />;
    case 'next':
      return <circle cx="8" cy="8" r="4" />;
  }
}
