import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse, type types } from 'hls-parser';
import { eventually } from './cloud.ts';
import { decode } from './pipeline.ts';

/** What a player met that it must never meet. */
export interface PlayerReport {
  /** Times that the whole stream was fetched. */
  rounds: number;
  fetches: number;
  /** `v1`, `v2`: in the order in which they were first seen. */
  versions: string[];
  faults: string[];
}

interface Player {
  /** Resolves once it has played a version, such as `v2`. A version that is current for a moment only may be missed. */
  played(version: string): Promise<unknown>;
  /** Ends it and tells what it met. */
  close(): Promise<PlayerReport>;
}

/** Bytes of a file, as hls-parser gives them. */
type Range = types.Byterange | undefined;

/** What a segment or an init segment is kept by: its URI, and its range where it has one. */
const partName = (uri: string, range: Range) => (range ? `${uri}@${range.offset}+${range.length}` : uri);

/**
 * A player that never stops: fetches the master playlist, every playlist that it names and every segment of those, over and
 * over. Each version is decoded whole when it is first seen.
 */
export function playForever(masterUrl: string): Player {
  const report: PlayerReport = { rounds: 0, fetches: 0, versions: [], faults: [] };
  const stop = new AbortController();

  async function fetchBytes(url: string, range?: Range): Promise<Buffer> {
    report.fetches += 1;
    const headers = range && { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const response = await fetch(url, headers && { headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    const path = new URL(url).pathname;
    if (response.status !== (range ? 206 : 200)) throw new Error(`${path} answered ${response.status}`);
    if (range && bytes.length !== range.length)
      throw new Error(`${path} sent ${bytes.length} of ${range.length} bytes`);
    return bytes;
  }

  /** Everything that the master names. Returns each file by its URI, relative to the master. */
  async function fetchAll(): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    const text = (await fetchBytes(masterUrl)).toString();
    files.set('master.m3u8', Buffer.from(text));
    const master = parse(text) as types.MasterPlaylist;
    // Keyframes are for scrubbing, and do not follow each other.
    const variants = master.variants.filter(({ isIFrameOnly }) => !isIFrameOnly);
    const audio = variants.flatMap((variant) => variant.audio.flatMap(({ uri }) => (uri ? [uri] : [])));
    for (const uri of new Set([...variants.map((variant) => variant.uri), ...audio])) {
      const playlist = await fetchBytes(new URL(uri, masterUrl).href);
      files.set(uri, playlist);
      const { segments } = parse(playlist.toString()) as types.MediaPlaylist;
      for (const part of partsOf(segments)) {
        const relative = `${uri.slice(0, uri.lastIndexOf('/') + 1)}${part.uri}`;
        const name = partName(relative, part.range);
        if (!files.has(name)) files.set(name, await fetchBytes(new URL(relative, masterUrl).href, part.range));
      }
    }
    return files;
  }

  async function check(files: Map<string, Buffer>): Promise<void> {
    const versions = new Set(
      [...files.keys()].filter((uri) => uri.includes('/')).map((uri) => uri.split('/')[0] ?? ''),
    );
    if (versions.size !== 1) report.faults.push(`one master named ${[...versions].join(' and ')}`);
    for (const version of versions) {
      if (report.versions.includes(version)) continue;
      report.versions.push(version);
      await decodeAll(files);
    }
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await check(await fetchAll());
        report.rounds += 1;
      } catch (error) {
        report.faults.push(String(error));
      }
      // As players do, it leaves the machine some time between two rounds.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const looping = loop();
  return {
    played: (version) =>
      eventually(`the player plays ${version}`, async () => report.versions.includes(version), 60_000),
    close: async () => {
      stop.abort();
      await looping;
      return report;
    },
  };
}

/** The init segment, then each segment. */
function partsOf(segments: readonly types.Segment[]): { uri: string; range: Range }[] {
  const [first] = segments;
  const map = first?.map ? [{ uri: first.map.uri ?? '', range: first.map.byterange }] : [];
  return [...map, ...segments.map(({ uri, byterange }) => ({ uri, range: byterange }))];
}

/** Each media playlist as one file: its init segment and segments end to end. @throws when one does not decode */
async function decodeAll(files: Map<string, Buffer>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-player-'));
  try {
    for (const [uri, text] of files) {
      if (!uri.endsWith('.m3u8') || uri === 'master.m3u8') continue;
      const base = uri.slice(0, uri.lastIndexOf('/') + 1);
      const { segments } = parse(text.toString()) as types.MediaPlaylist;
      const bytes = partsOf(segments).map(({ uri, range }) => files.get(partName(`${base}${uri}`, range)));
      const file = join(folder, `${basename(uri)}.mp4`);
      await writeFile(file, Buffer.concat(bytes.map((part) => part ?? Buffer.alloc(0))));
      await decode(file);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
