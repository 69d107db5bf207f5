import { describe, expect, it } from 'vitest';
import { playbackUrls } from '../../../../core/api/views.ts';
import {
  type Access,
  mediaKeys,
  POINTER_KEYS,
  PRIVATE_BUT_OPEN,
  PUBLISHED_KEYS,
  pointedFiles,
  versionPlaces,
} from '../../../../core/contracts/keys.ts';
import {
  each,
  FILE_NAMES,
  FILES,
  OPTIONAL_NAMES,
  OUTPUT_NAMES,
  STREAM_NAMES,
} from '../../../../core/contracts/outputs.ts';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { contentTypeOf } from '../../../../core/media/content-types.ts';
import { publishPlan } from '../../../../core/publish/plan.ts';
import { pointerKeys, pointersTo } from '../../../../core/publish/pointers.ts';
import { file, job, MEDIA_ID, result } from '../../../support/factories.ts';

/** A result with every output that there is. */
const everything = () => {
  const { preview } = result();
  const paths = each(FILE_NAMES, (name) => FILES[name].file);
  const files = FILE_NAMES.map((name, i) => file(FILES[name].file, i + 1, FILES[name].contentType));
  const renditions = result().renditions.map((one) => ({
    ...one,
    file: { uri: '360p.mp4', initBytes: 1, indexBytes: 1 },
  }));
  return result({ preview, renditions, ...paths, files: [...result().files.slice(0, 5), ...files] });
};
const matches = (patterns: readonly string[], key: string) =>
  patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(key));

describe.each<Access>(['public', 'private'])('each output of a %s media item', (access) => {
  const plan = publishPlan(job({ n: 3, access }), everything());
  const keys = mediaKeys('ann', MEDIA_ID, access);
  const { streams, files } = versionPlaces('ann', MEDIA_ID, 3, access);

  it("is in the version's record, and has an address", () => {
    expect(Object.keys(plan.outputs)).toEqual(OUTPUT_NAMES);
    expect(
      Object.keys(
        playbackUrls({ creatorId: 'ann', mediaId: MEDIA_ID }, { outputs: plan.outputs, access }, 'https://cdn.example'),
      ),
    ).toEqual(['hls', 'dash', ...OPTIONAL_NAMES]);
  });
  it.each(FILE_NAMES)('%s is copied to a place that is removed with the version, with its content type', (name) => {
    const copy = plan.copies.find(({ from }) => from.endsWith(`/${FILES[name].file}`));
    expect(copy).toMatchObject({ to: files[name], contentType: FILES[name].contentType });
    expect(contentTypeOf(FILES[name].file, 'video')).toBe(FILES[name].contentType);
    expect(plan.outputs[name]).toBe(files[name]);
    expect(plan.prefixes).toContain(files[name].slice(0, files[name].lastIndexOf('/') + 1));
  });
  it.each([
    ...STREAM_NAMES,
    ...pointedFiles(access),
  ])('%s has a pointer, made from an object of the version', (name) => {
    const pointer = pointersTo({ creatorId: 'ann', mediaId: MEDIA_ID, n: 3, outputs: plan.outputs, access }).find(
      ({ key }) => key === keys[name],
    );
    const places = [...new Set(Object.values(streams)), ...Object.values(files)];
    expect(places.filter((place) => pointer?.from?.startsWith(place))).toHaveLength(1);
    expect(pointerKeys('ann', MEDIA_ID, access)).toContain(keys[name]);
    expect(matches(POINTER_KEYS, keys[name])).toBe(true);
  });
  it('lies where publishing may write, below the prefixes of the media item', () => {
    const all = [...plan.copies.map(({ to }) => to), ...pointerKeys('ann', MEDIA_ID, access)];
    expect(all.filter((key) => !matches(PUBLISHED_KEYS, key))).toEqual([]);
    expect(all.filter((key) => !keys.prefixes.some((prefix) => key.startsWith(prefix)))).toEqual([]);
  });
});

describe('the address of an output', () => {
  const { outputs } = publishPlan(job({ n: 3 }), everything());
  const address = (version: { access?: Access; redirects?: true }, name: 'mp4' | 'poster' | 'waveform') =>
    playbackUrls(
      { creatorId: 'ann', mediaId: 'm' },
      { outputs: { ...outputs, mp4: 'ann/mp4/m/v3.mp4' }, ...version },
      '',
    )[name];

  it('names no version, so that the next version has the same', () => {
    expect(address({ redirects: true }, 'mp4')).toBe('/ann/mp4/m/video.mp4');
    expect(address({ redirects: true }, 'poster')).toBe('/ann/thumbnails/media/m/poster.jpg');
    expect(address({ redirects: true }, 'waveform')).toBe('/ann/waveforms/m/waveform.json');
    expect(address({ access: 'private', redirects: true }, 'poster')).toBe('/private/ann/m/thumbnails/poster.jpg');
  });
  it('is that of the file where there is no redirect to it: of private MP4s, and of those that an earlier release published', () => {
    expect(address({ access: 'private', redirects: true }, 'mp4')).toBe('/ann/mp4/m/v3.mp4');
    expect(address({}, 'mp4')).toBe('/ann/mp4/m/v3.mp4');
    expect(address({}, 'poster')).toBe('/ann/thumbnails/media/m/poster.jpg');
  });
});

it('two outputs share neither a file of the worker nor a key', () => {
  const files = FILE_NAMES.map((name) => FILES[name].file);
  expect(new Set(files).size).toBe(files.length);
  const keys = Object.values(versionPlaces('ann', MEDIA_ID, 3).files);
  expect(new Set(keys).size).toBe(keys.length);
});

it('each preset names each output as included or not', () => {
  for (const { outputs } of Object.values(PRESETS)) {
    expect(Object.keys(outputs).sort()).toEqual([...OPTIONAL_NAMES].sort());
  }
});

it('of private media only the preview and the pictures are public', () => {
  expect(PRIVATE_BUT_OPEN).toEqual(['private/*/hls/preview/*', 'private/*/thumbnails/*']);
});
