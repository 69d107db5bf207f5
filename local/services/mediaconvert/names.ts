import type { Output, OutputGroup } from './schema.ts';

/** Names of the objects that a job writes. Variables such as `$dt$` are not served: their dollar stays. */

/** Where an object of this group lies, without what its output adds. A destination that ends in a slash takes the input's name. */
export function baseOf({ outputGroupSettings }: OutputGroup, fileInput: string): string {
  const { cmafGroupSettings, fileGroupSettings } = outputGroupSettings;
  const { destination = '' } = cmafGroupSettings ?? fileGroupSettings ?? {};
  if (!destination.endsWith('/')) return destination;
  const name = fileInput.slice(fileInput.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return `${destination}${dot > 0 ? name.slice(0, dot) : name}`;
}

/** URIs of what an output writes: those of frame captures have `%07d` in the place of their number. */
export interface Written {
  /** Absent for captions in a playlist of their own, and for pictures. */
  media: string;
  playlist?: string;
}

/** As seen in playlists, events and buckets of MediaConvert; `.vtt` of captions in one file is a guess. */
export function writtenBy(output: Output, base: string): Written {
  const { nameModifier = '', extension, containerSettings, videoDescription, captionDescriptions } = output;
  const name = `${base}${nameModifier}`;
  if (containerSettings.container === 'CMFC') {
    const ending = videoDescription ? 'cmfv' : captionDescriptions.length > 0 ? 'vtt' : 'cmfa';
    return { media: `${name}.${ending}`, playlist: `${name}.m3u8` };
  }
  if (videoDescription?.codecSettings.codec === 'FRAME_CAPTURE') return { media: `${name}.%07d.${extension ?? 'jpg'}` };
  return { media: `${name}.${extension ?? 'mp4'}` };
}
