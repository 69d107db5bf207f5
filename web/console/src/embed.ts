/**
 * The page of a media item that other sites frame: `/embed/{creatorId}/{mediaId}`. functions/serve-pages fills in what is to be played. What
 * opens a private one is behind the number sign.
 */
import { SIGNATURE_NAMES } from '../../../core/contracts/embed.ts';
import { play } from './play/play.ts';
import './play/play.css';
import './styles/embed.css';

const stage = document.getElementById('player');
const problem = document.getElementById('problem');

function tell(text: string): void {
  stage?.replaceChildren();
  if (problem) problem.textContent = text;
}

/** Of what is behind the number sign, the three parameters of a signature; empty where one is missing. */
function signatureIn(hash: string): string {
  const given = new URLSearchParams(hash.slice(1));
  const pairs = Object.values(SIGNATURE_NAMES).map((name) => [name, given.get(name) ?? '']);
  return pairs.every(([, value]) => value) ? String(new URLSearchParams(pairs)) : '';
}

function start(): void {
  const { hls, poster, waveform, kind, access, title = '' } = stage?.dataset ?? {};
  if (!stage || !hls) {
    tell('Nothing plays at this address: it may not be ready yet, or be gone.');
    return;
  }
  const isPrivate = access === 'private';
  const signature = isPrivate ? signatureIn(location.hash) : '';
  play(stage, { title, isAudio: kind === 'audio', hls, poster, waveform, signature }, () =>
    tell(
      isPrivate
        ? 'This is private, and the link does not open it: it has expired, or part of it is missing.'
        : 'It cannot be played: part of the stream cannot be read.',
    ),
  );
}

start();
