/** How one or two channels are made of a source's. */
export interface ChannelMix {
  channels: 1 | 2;
  /** FFmpeg's filter, where it would not mix them by itself. */
  mix?: string;
  /** What is lost, in a sentence; absent where nothing is. */
  lost?: string;
}

/** FFmpeg can mix this many channels down to two; for more it has no known layout. */
const MIXED_CHANNELS = 8;
/** What libswresample's matrix makes two channels of (rematrix.c, auto_matrix); it leaves out all others, and the LFE. */
const MIXED = /^(?:F[LRC]|LFE|B[LRC]|FLC|FRC|S[LR])$/;
/** Named layouts with speakers above the listener, as FFmpeg 5.1 and later print them: `5.1.2`, `7.1(top)`, `cube`. */
const RAISED = /^(?:\d\.\d\.\d|\d\.\d\(top|cube$)/;
const FIRST_TWO = 'pan=stereo|c0=c0|c1=c1';
/** Pan refuses the layouts that it would be for. */
const NAMED_ANEW = 'channelmap=0|1:channel_layout=stereo';

/**
 * @param layout FFmpeg's name: `5.1(side)`, `4 channels (FL+FR+TFL+TFR)`, `ambisonic 1`; undefined where it is not known
 */
export function mixChannels(channels: number, layout: string | undefined): ChannelMix {
  if (channels === 1) return { channels: 1 };
  if (layout?.startsWith('ambisonic ') && channels >= 4) {
    // Two cardioids that face left and right, of the first two channels: all directions, and left minus right (AmbiX: ACN, SN3D).
    const mix = 'pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1';
    return { channels: 2, mix, lost: `Of ${channels} ambisonic channels left and right were made.` };
  }
  const speakers = layout?.includes('+') ? layout.slice(layout.indexOf('(') + 1, -1).split('+') : [];
  const isRefused = speakers.length > 1 && !isMixable(speakers);
  if (isRefused || channels > MIXED_CHANNELS) {
    return { channels: 2, mix: isRefused ? NAMED_ANEW : FIRST_TWO, ...lost(channels, 'the first two were taken') };
  }
  const left = speakers.filter((speaker) => !MIXED.test(speaker));
  const above = RAISED.test(layout ?? '') ? ['those above'] : left;
  return {
    channels: 2,
    ...lost(channels, `two were mixed${above.length > 0 ? `, without ${above.join(' and ')}` : ''}`),
  };
}

/** libswresample refuses layouts without a speaker in front, or with one side only (rematrix.c, sane_layout). */
function isMixable(speakers: readonly string[]): boolean {
  const has = (speaker: string) => speakers.includes(speaker);
  const isEven = (left: string, right: string) => has(left) === has(right);
  const pairs = isEven('FL', 'FR') && isEven('BL', 'BR') && isEven('SL', 'SR') && isEven('FLC', 'FRC');
  return pairs && (has('FL') || has('FC'));
}

function lost(channels: number, how: string): Pick<ChannelMix, 'lost'> {
  return channels > 2 ? { lost: `Of ${channels} audio channels ${how}.` } : {};
}
