/** What `quorate dashboard` hands the page behind the `#` of its address, which browsers send to nobody. */
export interface Login {
  readonly token: string;
  /** ISO 8601; empty when it was not said. */
  readonly ends: string;
}

const KEPT = 'quorate';

/** The login in an address's fragment; null when there is none. Pure. */
export function loginOf(fragment: string): Login | null {
  const said = new URLSearchParams(fragment.replace(/^#/, ''));
  const token = said.get('token') ?? '';
  return /^[\x21-\x7e]{16,256}$/.test(token) ? { token, ends: said.get('ends') ?? '' } : null;
}

/** The same as a fragment. Pure. */
export function fragmentOf({ token, ends }: Login): string {
  return `#${new URLSearchParams({ token, ends })}`;
}

/**
 * Takes the login out of the address bar, and so out of the history and of what is copied from there, and keeps it for as
 * long as this tab is open, so that the page can be loaded again.
 */
export function takeLogin(): Login | null {
  const given = loginOf(location.hash);
  if (given === null) return loginOf(sessionStorage.getItem(KEPT) ?? '');
  sessionStorage.setItem(KEPT, fragmentOf(given));
  history.replaceState(null, '', location.pathname);
  return given;
}
