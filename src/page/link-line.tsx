import { useState } from 'preact/hooks';
import { fragmentOf, type Login } from './login.js';
import type { Model } from './model.js';
import { clock, elapsed } from './words.js';

/** Whom the page talks to, what it lost, and how old what it shows is. */
export function LinkLine({ model, login, now }: { model: Model; login: Login; now: number }) {
  const { link, loss, status, statusAt } = model;
  const [noted, note] = useState(0);
  const old = status === null ? '' : ` What is shown is ${elapsed(now - statusAt)} old.`;
  return (
    <>
      {link.state === 'live' && <Live link={link} login={login} />}
      <div role="status" aria-live="polite">
        {loss !== null && loss.at !== noted && link.state !== 'refused' && (
          <p class={`notice ${loss.next === null ? 'bad' : 'warn'}`}>
            Lost controller {loss.machine} at {clock(loss.at, now)}: {loss.reason}.{' '}
            {loss.next === null
              ? 'Looking for another one.'
              : `Went on with controller ${loss.next.machine} after ${(loss.next.waitedMs / 1000).toFixed(2)} s.`}
            {loss.next !== null && (
              <button type="button" onClick={() => note(loss.at)}>
                Noted
              </button>
            )}
          </p>
        )}
      </div>
      {link.state === 'searching' && link.tried.length > 0 && (
        <p class="notice bad" role="alert">
          No controller answers{link.reason === '' ? '' : ` as it should (${link.reason})`}. Asked:{' '}
          {link.tried.join(', ')}, again and again until one does.{old} In a terminal: <code>quorate status</code>
        </p>
      )}
      {link.state === 'refused' && (
        <p class="notice bad" role="alert">
          {link.message} This page's login may have ended: open it again with <code>quorate dashboard</code>.{old}
        </p>
      )}
    </>
  );
}

function Live({ link, login }: { link: Extract<Model['link'], { state: 'live' }>; login: Login }) {
  const moved = link.address !== location.host;
  return (
    <p class="link-line">
      <span class="dot" aria-hidden="true" /> Live from controller {link.machine} <code>{link.address}</code>
      {moved && (
        <button
          type="button"
          onClick={() => location.assign(`https://${link.address}/dashboard${fragmentOf(login)}`)}
          title="So that it can be loaded again: its own address answers no more"
        >
          Move this page there
        </button>
      )}
    </p>
  );
}
