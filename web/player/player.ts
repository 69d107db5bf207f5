/** Plays one published media item: `/player/?creator={creatorId}&media={mediaId}[&preview=1]`. */
import Hls from 'hls.js';
import { CreatorId, MediaId } from '../../core/contracts/ids.ts';
import { mediaKeys } from '../../core/contracts/keys.ts';
import { drawWaveform } from './waveform.ts';

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return found;
}

const problem = element('problem', HTMLElement);
const facts = element('facts', HTMLElement);

function fact(name: string, text: string): void {
  const term = document.createElement('dt');
  const value = document.createElement('dd');
  term.textContent = name;
  value.textContent = text;
  facts.append(term, value);
}

function attach(player: HTMLMediaElement, url: string): void {
  if (!Hls.isSupported()) {
    player.src = url; // Safari plays HLS itself
    return;
  }
  const hls = new Hls();
  hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
    const name = (level: (typeof levels)[number]) =>
      level.height ? `${level.width}×${level.height}` : `${Math.round(level.bitrate / 1000)} kbit/s`;
    fact('renditions', levels.map(name).join(', '));
  });
  hls.on(Hls.Events.ERROR, (_, { fatal, type, details }) => {
    if (fatal) problem.textContent = `It can't be played: ${type}, ${details}.`;
  });
  hls.loadSource(url);
  hls.attachMedia(player);
}

/** @returns what the stream is; null, with a message on the page, when there is none */
async function kindOf(url: string): Promise<'video' | 'audio' | null> {
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) return /^#EXT-X-STREAM-INF:.*RESOLUTION=/m.test(await answer.text()) ? 'video' : 'audio';
  problem.textContent =
    answer === null
      ? "It can't be played: the server does not answer."
      : 'Nothing can be played here. Is the address right, the media item ready, and may you see it?';
  return null;
}

async function start(): Promise<void> {
  const query = new URLSearchParams(location.search);
  // They become part of addresses: `creator=/evil.example` would lead to another server.
  const { data: creator } = CreatorId.safeParse(query.get('creator'));
  const { data: media } = MediaId.safeParse(query.get('media'));
  if (!creator || !media) {
    problem.textContent = 'The address names no media: add ?creator=…&media=….';
    return;
  }
  const keys = mediaKeys(creator, media);
  const url = `/${query.has('preview') ? keys.preview : keys.master}`;
  const kind = await kindOf(url);
  if (kind === null) return;
  const isAudio = kind === 'audio';
  const player = document.createElement(isAudio ? 'audio' : 'video');
  player.controls = true;
  player.muted = query.has('muted');
  if (player instanceof HTMLVideoElement) {
    player.playsInline = true;
    player.poster = `/${keys.thumbnail}`;
  }
  element('stage', HTMLElement).append(player);
  fact('media', media);
  fact('playlist', url);
  attach(player, url);
  if (isAudio) void drawWaveform(element('waveform', HTMLCanvasElement), `/${keys.waveform}`, player);
}

void start();
