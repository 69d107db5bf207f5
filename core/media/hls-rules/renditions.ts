import type { Playlist, Tag } from './playlist.ts';
import { type Problem, problem, type Rule, type Stream } from './stream.ts';

/** The groups of sound, subtitles and captions: EXT-X-MEDIA. */

/** A rule of each EXT-X-MEDIA: what is wrong with it, and what is right, or null. */
function eachRendition(check: (tag: Tag, stream: Stream) => readonly [string, string] | null) {
  return (stream: Stream): Problem[] => {
    const { master } = stream;
    return (master?.playlist.renditions ?? []).flatMap((tag) => {
      const wrong = check(tag, stream);
      return master && wrong ? [problem(master.playlist, tag.line, ...wrong)] : [];
    });
  };
}

export const RENDITION_RULES: readonly Rule[] = [
  {
    id: 'media-attributes',
    source: 'RFC 8216, 4.3.4.1',
    level: 'must',
    title: 'EXT-X-MEDIA has TYPE, GROUP-ID and NAME; captions have INSTREAM-ID and no URI',
    check: eachRendition(({ attributes }) => {
      const missing = ['TYPE', 'GROUP-ID', 'NAME'].find((name) => !attributes.get(name));
      if (missing) return [`no ${missing}`, `${missing}=…`];
      if (attributes.get('TYPE') !== 'CLOSED-CAPTIONS') return null;
      if (attributes.has('URI')) return ['captions with a URI', 'none: they are in the pictures'];
      return /^(CC[1-4]|SERVICE([1-9]|[1-5]\d|6[0-3]))$/.test(attributes.get('INSTREAM-ID') ?? '')
        ? null
        : [`INSTREAM-ID="${attributes.get('INSTREAM-ID') ?? ''}"`, 'CC1 to CC4, or SERVICE1 to SERVICE63'];
    }),
  },
  {
    id: 'groups-exist',
    source: 'RFC 8216, 4.3.4.2',
    level: 'must',
    title: 'Each group that a variant names exists',
    check: ({ master }) =>
      (master?.playlist.variants ?? []).flatMap((tag) =>
        ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'].flatMap((type) => {
          const group = tag.attributes.get(type);
          if (!master || group === undefined || (type === 'CLOSED-CAPTIONS' && group === 'NONE')) return [];
          if (groupsOf(master.playlist, type).has(group)) return [];
          return [problem(master.playlist, tag.line, `${type}="${group}"`, `an EXT-X-MEDIA with that GROUP-ID`)];
        }),
      ),
  },
  {
    id: 'names-unique',
    source: 'RFC 8216, 4.3.4.1.1',
    level: 'must',
    title: 'NAME is unique in its group',
    check: inGroups((members) => {
      const seen = new Set<string | undefined>();
      const again = members.find(({ attributes }) => seen.size === seen.add(attributes.get('NAME')).size);
      return again ? [again.line, `a second NAME="${again.attributes.get('NAME')}"`, 'another name'] : null;
    }),
  },
  {
    id: 'one-default',
    source: 'RFC 8216, 4.3.4.1 and 4.3.4.1.1',
    level: 'must',
    title: 'One member of a group is the default at most, and is selected automatically',
    check: inGroups((members) => {
      const defaults = members.filter(({ attributes }) => attributes.get('DEFAULT') === 'YES');
      const [, second] = defaults;
      if (second) return [second.line, 'a second DEFAULT=YES', 'one'];
      const not = defaults.find(({ attributes }) => attributes.get('AUTOSELECT') === 'NO');
      return not ? [not.line, 'DEFAULT=YES with AUTOSELECT=NO', 'AUTOSELECT=YES'] : null;
    }),
  },
  {
    id: 'groups-alike',
    source: 'RFC 8216, 4.3.4.1.1',
    level: 'must',
    title: 'Groups of one type have the same members, alike but for URI and CHANNELS',
    check: ({ master }) => {
      const alike = ({ attributes }: Tag) =>
        JSON.stringify([...attributes].filter(([name]) => !['GROUP-ID', 'URI', 'CHANNELS'].includes(name)).sort());
      return ['AUDIO', 'VIDEO', 'SUBTITLES'].flatMap((type) => {
        const [first, ...others] = [...(master ? groupsOf(master.playlist, type).values() : [])];
        const right = new Set(first?.map(alike));
        return others.flatMap((members) => {
          const other =
            members.find((tag) => !right.has(alike(tag))) ?? (members.length < right.size ? members[0] : undefined);
          if (!master || !other) return [];
          const group = first?.[0]?.attributes.get('GROUP-ID');
          return [problem(master.playlist, other.line, 'another member or attribute', `those of the group "${group}"`)];
        });
      });
    },
  },
  {
    id: 'language',
    source: 'Apple 4.4, 4.7 and 8.10',
    level: 'must',
    title: 'EXT-X-MEDIA has LANGUAGE',
    departure: 'A source that does not say its language has none to announce; `und` would be shown as a language.',
    check: eachRendition(({ attributes }) =>
      attributes.get('TYPE') === 'VIDEO' || attributes.get('LANGUAGE') ? null : ['no LANGUAGE', 'a tag of RFC 5646'],
    ),
  },
  {
    id: 'channels',
    source: 'RFC 8216, 4.3.4.1',
    level: 'should',
    title: 'EXT-X-MEDIA of sound has CHANNELS, as many as the init segment says',
    check: eachRendition((tag, { media }) => {
      if (tag.attributes.get('TYPE') !== 'AUDIO') return null;
      const said = tag.attributes.get('CHANNELS')?.split('/')[0];
      if (!said) return ['no CHANNELS', 'their number'];
      const sound = media.find(({ namedBy }) => namedBy.includes(tag))?.tracks?.find(({ kind }) => kind === 'audio');
      return sound?.channels === undefined || Number(said) === sound.channels ? null : [said, String(sound.channels)];
    }),
  },
  {
    id: 'captions-none',
    source: 'RFC 8216, 4.3.4.2',
    level: 'must',
    title: 'Where one variant says CLOSED-CAPTIONS=NONE, all do',
    check: ({ master }) => {
      const variants = master?.playlist.variants ?? [];
      const isNone = ({ attributes }: Tag) => attributes.get('CLOSED-CAPTIONS') === 'NONE';
      const other = variants.find((tag) => !isNone(tag));
      if (!master || !other || !variants.some(isNone)) return [];
      return [problem(master.playlist, other.line, 'another says NONE', 'CLOSED-CAPTIONS=NONE')];
    },
  },
];

function groupsOf({ renditions }: Playlist, type: string): Map<string, Tag[]> {
  const groups = new Map<string, Tag[]>();
  for (const tag of renditions) {
    const id = tag.attributes.get('GROUP-ID');
    if (id === undefined || tag.attributes.get('TYPE') !== type) continue;
    groups.set(id, [...(groups.get(id) ?? []), tag]);
  }
  return groups;
}

function inGroups(check: (members: readonly Tag[]) => readonly [number, string, string] | null) {
  return ({ master }: Stream): Problem[] =>
    ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'].flatMap((type) =>
      [...(master ? groupsOf(master.playlist, type).values() : [])].flatMap((members) => {
        const wrong = check(members);
        return master && wrong ? [problem(master.playlist, ...wrong)] : [];
      }),
    );
}
