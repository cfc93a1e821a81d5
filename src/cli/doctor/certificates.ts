import { type Judged, well, wrong } from './finding.js';

/** A certificate and its end, ISO 8601. */
export interface CertificateSeen {
  readonly whose: string;
  readonly ends: string;
  /** What to do when it is near. */
  readonly todo: string;
}

/** They are renewed with a third of their year left: so near its end, nobody has renewed it. */
const SOON_DAYS = 14;

/** Pure; `now` in milliseconds since 1970. */
export function judgeCertificates(seen: readonly CertificateSeen[], now: number): readonly Judged[] {
  const days = ({ ends }: CertificateSeen) => (Date.parse(ends) - now) / 86_400_000;
  const known = seen.filter(({ ends }) => ends !== '');
  const near = known.filter((certificate) => days(certificate) < SOON_DAYS);
  if (near.length > 0) {
    return near.map((certificate) => {
      const left = Math.floor(days(certificate));
      const when = left < 0 ? `ended ${-left} days ago` : `ends in ${left} days`;
      return wrong(`the certificate of ${certificate.whose} ${when}`, certificate.todo);
    });
  }
  const first = known.reduce<CertificateSeen | null>((a, b) => (a && days(a) <= days(b) ? a : b), null);
  return first ? [well(`the first to end is that of ${first.whose}, in ${Math.floor(days(first))} days`)] : [];
}
