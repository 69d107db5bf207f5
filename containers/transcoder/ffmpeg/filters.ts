import { type Chunk, WITNESS_SECONDS } from '../../../core/media/chunk.ts';
import type { ColorPlan } from '../../../core/media/color.ts';
import type { AudioPlan, EncodePlan, VideoPlan } from '../../../core/media/encode-plan.ts';
import type { Combed } from '../../../core/media/interlace.ts';
import { leadFrames } from '../../../core/media/lead.ts';
import { GOP_SECONDS } from '../../../core/media/plan.ts';
import type { Fraction } from '../../../core/media/probe.ts';
import { longSide, type Size } from '../../../core/media/size.ts';

/** Labels of the graphs: one for each stream of the decode, `[vNAME]` for each rung, and these. */
export const PICTURE_LABEL = '[picture]';
export const SOUND_LABEL = '[sound]';
export const rungLabel = (name: string) => `[v${name}]`;
export const MP4_LABEL = '[mp4]';
export const POSTER_LABEL = '[poster]';
export const THUMBNAIL_LABEL = '[thumbnail]';
export const WITNESS_LABEL = '[witness]';

/** File in which the poster's filter writes the time of the frame that it has chosen. */
export const POSTER_TIME = 'poster.time';

/** Descriptors on which the decode tells of each picture and of each frame of sound, as printedFrames and printedSound read them. */
export const PICTURES_FD = 3;
export const SOUNDS_FD = 4;

/**
 * Prints each frame at once: `direct`. Otherwise lines arrive 32 kB at a time, and the worker would wait for those of the sound it has.
 * Only what `key` names, because decoders add more: MPEG-2's writes a time code at each group of pictures.
 */
const print = (filter: 'metadata' | 'ametadata', fd: number, key: string) =>
  `${filter}=mode=print:key=${key}:file=pipe\\\\:${fd}:direct=1`;
/** The filter prints nothing of a frame that has no metadata. */
export const MARK = 'metadata=mode=add:key=picture:value=1';

/**
 * The decoded pictures, all of one size, in 8-bit SDR. FFmpeg builds this graph anew where their size or format changes, so
 * no filter in it keeps anything but the deinterlacer, whose flags would not pass through the pipe.
 */
export function pictureGraph(video: VideoPlan, size: Size, hasToneMap: boolean, chunk?: Chunk): string {
  const told = [MARK, print('metadata', PICTURES_FD, 'picture')];
  // One chain: beside a branch that ends in nullsink, FFmpeg 7.1 lost pictures of a graph that it built anew, and told no progress.
  const chain = [
    `settb=1/${video.timescale}`,
    ...(video.crop ? cropped(video.crop) : []),
    ...(chunk ? [] : told),
    ...deinterlace(video.deinterlace),
    // Behind the deinterlacer, which looks at the pictures before.
    ...(chunk ? [...trim(chunk, WITNESS_SECONDS), ...told] : []),
    ...(video.turn ? TURNS[video.turn] : []),
    // NUT has no times before 0.
    "setpts='if(lt(PTS,0),0,PTS)'",
    ...toSdr(video.color, fitted(video.displayed, size), hasToneMap),
    'setsar=1',
  ];
  return `[0:${video.track}]${chain.join(',')}${PICTURE_LABEL}`;
}

/** FFmpeg's aspect of the pixels is that which the whole picture would have. */
function cropped({ width, height, left, top, aspect }: NonNullable<VideoPlan['crop']>): string[] {
  return [`crop=${width}:${height}:${left}:${top}`, `setsar=${aspect.num}/${aspect.den}`];
}

/** Fields are lines of the coded picture, which FFmpeg would turn before any filter sees it: see decodeArguments. */
const TURNS = { 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] } as const;

/** A frame for each picture. The filter looks at its switch when it has the picture after the one that it works on. */
function deinterlace(combed: Combed): string[] {
  if (combed === 'flagged') return ['bwdif=mode=send_frame:deint=interlaced'];
  return (['tff', 'bff'] as const).flatMap((parity) => {
    const runs = combed
      .filter(({ first }) => first === parity)
      .map(({ from, to }) => `between(n,${from + 1},${to + 1})`);
    return runs.length > 0 ? [`bwdif=mode=send_frame:deint=all:parity=${parity}:enable='${runs.join('+')}'`] : [];
  });
}

/** The decoded sound at the rate and with the channels of the renditions. The worker fills and cuts it: see SoundClock. */
export function soundGraph(audio: AudioPlan): string {
  const chain = [
    ...(audio.mix ? [audio.mix] : []),
    `aresample=${audio.sampleRate}`,
    `aformat=sample_fmts=flt:channel_layouts=${audio.channels === 1 ? 'mono' : 'stereo'}`,
    ...TOLD_SAMPLES,
  ];
  return `${soundInput(audio)}${chain.join(',')}${SOUND_LABEL}`;
}

/** The decoded sound at its own rate, with all its channels where FFmpeg can mix them. */
export function waveformGraph(audio: Pick<AudioPlan, 'track' | 'right' | 'sampleRate' | 'mix'>): string {
  const chain = [...(audio.mix ? [audio.mix] : []), `aresample=${audio.sampleRate}`, ...TOLD_SAMPLES];
  return `${soundInput(audio)}${chain.join(',')}${SOUND_LABEL}`;
}

/** Tells each frame twice, with its time and with its number of samples in the time's place: astats counts them too, at 20 s of CPU an hour. */
const TOLD_SAMPLES = [
  'ametadata=mode=add:key=time:value=1',
  print('ametadata', SOUNDS_FD, 'time'),
  'asetpts=NB_SAMPLES',
  'ametadata=mode=add:key=samples:value=1',
  print('ametadata', SOUNDS_FD, 'samples'),
];

/** The beginning of a graph: the track, or two mono tracks as the sides of one. The longer side goes on alone. */
function soundInput({ track, right }: Pick<AudioPlan, 'track' | 'right'>): string {
  if (right === undefined) return `[0:${track}]`;
  const sides = `[0:${track}]pan=stereo|c0=c0[left];[0:${right}]pan=stereo|c1=c0[right]`;
  return `${sides};[left][right]amix=inputs=2:duration=longest:normalize=0,`;
}

/**
 * From the pictures of the pipe, which never change: every next rung is scaled from the one above it, the first from an MP4 that is larger.
 * Each still has a graph of its own: FFmpeg 7.1 asks a graph for the output that is least far, and keeps all pictures of the others until a
 * still, which ends last, has one.
 */
export function ladderGraphs(plan: EncodePlan, video: VideoPlan, scaler: Scaler): string[] {
  const chains: string[] = [];
  const { upload, scale } = SCALERS[scaler];
  const part = plan.chunk ? trim(plan.chunk, 0) : [];
  const start = `[0:v]${[...timing(video, plan.chunk), ...part, label(video.color), 'setsar=1'].join(',')}`;
  const [top] = video.rungs;
  const { encode } = plan.mp4 ?? {};
  const isLargest = encode !== undefined && top !== undefined && longSide(encode) > longSide(top);
  let input = [start, ...upload].join(',');
  if (isLargest) {
    chains.push(`${input},split${MP4_LABEL}[totop]`);
    input = `[totop]${scale(top)},setsar=1`;
  }
  video.rungs.forEach((rung, i) => {
    const next = video.rungs[i + 1];
    const taps = [
      rungLabel(rung.name),
      ...(encode && !isLargest && i === 0 ? ['[tomp4]'] : []),
      ...(next ? [`[below${i}]`] : []),
    ];
    chains.push(taps.length === 1 ? `${input}${taps[0]}` : `${input},split=${taps.length}${taps.join('')}`);
    if (next) input = `[below${i}]${scale(next)},setsar=1`;
  });
  if (encode && !isLargest) chains.push(`[tomp4]${scale(encode)},setsar=1${MP4_LABEL}`);
  return [
    chains.join(';'),
    ...(plan.thumbnail ? [`${start},${thumbnailChain(plan.thumbnail)}${THUMBNAIL_LABEL}`] : []),
    ...(plan.poster ? [`${start},${posterChain(plan.poster, plan.posterLarge !== undefined)}${POSTER_LABEL}`] : []),
    ...(plan.chunk ? [`[0:v]${witnessed(plan.chunk)}${WITNESS_LABEL}`] : []),
  ];
}

/** The pictures of a chunk, and those so long before and after it. Half-open, so that neighbours share none. */
function trim({ start, end }: Chunk, around: number): string[] {
  const from = start > 0 ? [`start=${seconds(start - around)}`] : [];
  const to = end === undefined ? [] : [`end=${seconds(end + around)}`];
  const both = [...from, ...to];
  return both.length > 0 ? [`trim=${both.join(':')}`] : [];
}

/** The pictures beside the chunk's joints. */
function witnessed({ start, end }: Chunk): string {
  const joints = [...(start > 0 ? [start] : []), ...(end === undefined ? [] : [end])];
  const within = joints.map((at) => `gte(t,${seconds(at - WITNESS_SECONDS)})*lt(t,${seconds(at + WITNESS_SECONDS)})`);
  return `select='${within.join('+') || '0'}'`;
}

function timing(video: VideoPlan, chunk: Chunk | undefined): string[] {
  // Changes no time, but FFmpeg 7.1 forgets the rate of raw video, which is that of its clock's ticks, before NVENC is told it.
  if (chunk && chunk.start > 0) return ['setpts=PTS'];
  return [
    ...(video.retime ? [`fps=${video.retime.num}/${video.retime.den}${video.lead ? '' : ':start_time=0'}`] : []),
    ...(video.lead && video.frameRate ? leadIn(video.lead, video.frameRate) : []),
    // Every other video needs this too: in a damaged file the first frame that decodes may be later than the container says.
    ...(video.retime || video.lead ? [] : ["setpts='if(eq(N,0),0,PTS)'"]),
  ];
}

/**
 * Shows the first frame from the start on: a few times at the picture's own rate, then once each GOP, which costs next to nothing. tpad
 * adds the frames. Their number determines their times, and the frames after them keep their distance from the first frame's own time.
 */
function leadIn(lead: number, rate: Fraction): string[] {
  const { close, grid, count } = leadFrames(lead, rate);
  const added = `if(lt(N,${close}),N*${rate.den}/${rate.num},${GOP_SECONDS}*(N-${close}+${grid}))/TB`;
  const own = `if(eq(N,${count}),st(0,PTS),0)*0+${seconds(lead)}/TB+PTS-ld(0)`;
  return ['setpts=PTS-STARTPTS', `tpad=start=${count}:start_mode=clone`, `setpts='if(lt(N,${count}),${added},${own})'`];
}

function scale({ width, height }: Record<keyof Size, number | string>): string {
  return `scale=${width}:${height}:flags=bicubic`;
}

/** Where the ladder is scaled: in memory, or in that of a GPU of NVIDIA, from which its encoder takes it. */
export type Scaler = 'memory' | 'cuda';

/**
 * Of `scale_cuda`, the filter that widens with the ratio is the one called bilinear (libavfilter/vf_scale_cuda.cu). Its pictures are like those of
 * the other scaler: decision 0110 has numbers.
 */
const SCALERS: Readonly<Record<Scaler, { upload: string[]; scale: (size: Size) => string }>> = {
  memory: { upload: [], scale },
  cuda: {
    upload: ['format=yuv420p', 'hwupload_cuda'],
    scale: ({ width, height }) => `scale_cuda=${width}:${height}:interp_algo=bilinear`,
  },
};

/** How a picture gets the size of all: scaled, then laid between bars. */
interface Fitted {
  scale: string;
  pad: string;
}

/**
 * A picture takes all of the size if it has the shape that the plan was made for, and otherwise as much as its own shape leaves, because
 * pictures may change on the way. For each of them anew: FFmpeg does not build a graph again where the shape of the pixels alone changes
 * (fftools/ffmpeg_filter.c compares size, format and colours).
 */
function fitted(displayed: Size, { width, height }: Size): Fitted {
  const asPlanned = `lt(abs(dar*${displayed.height}/${displayed.width}-1),0.01)`;
  const within = {
    width: `'if(${asPlanned},${width},min(${width},max(2,2*round(${height}*dar/2))))'`,
    height: `'if(${asPlanned},${height},min(${height},max(2,2*round(${width}/dar/2))))'`,
  };
  return { scale: `${scale(within)}:eval=frame`, pad: `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2:eval=frame` };
}

/** Converts to 8-bit 4:2:0 with a limited range, in the size of all outputs' decode because tone mapping costs by the pixel. */
function toSdr(color: ColorPlan, fit: Fitted, hasToneMap: boolean): string[] {
  // zscale keeps the size of the first picture.
  if (color.convert && hasToneMap) {
    return [fit.scale, fit.pad, ...toBt709(color.convert), 'format=yuv420p', label(color)];
  }
  const matrixOption = color.matrix ? `:out_color_matrix=${color.matrix}` : '';
  const whole = color.widen ? ['format=rgb24'] : [];
  return [...whole, `${fit.scale}:out_range=tv${matrixOption}`, 'format=yuv420p', label(color), fit.pad];
}

function label({ output: { primaries, transfer, matrix } }: ColorPlan): string {
  return `setparams=range=tv:color_primaries=${primaries}:color_trc=${transfer}:colorspace=${matrix}`;
}

/**
 * Labels the frames first, because zscale finds no way between colours of which one is unknown. 203 cd/m² is the reference white of HDR,
 * ITU-R BT.2408. The filter's own reading of the peak would believe any value.
 */
function toBt709({ primaries, transfer, matrix, toneMap }: NonNullable<ColorPlan['convert']>): string[] {
  return [
    `setparams=color_primaries=${primaries}:color_trc=${transfer}:colorspace=${matrix}`,
    'zscale=t=linear:npl=203',
    'format=gbrpf32le',
    'zscale=p=709',
    ...(toneMap ? [`tonemap=tonemap=hable:desat=0:peak=${toneMap.peak}`] : []),
    // Integers clip what lies outside of BT.709's colours. As YUV it would be taken for another colour within them.
    'zscale=t=709',
    'format=gbrp10le',
    'zscale=m=709:r=limited',
  ];
}

// FFmpeg 5.1 reports no progress before each output has a frame. So both pictures begin with the first frame, and the wanted one, which may
// come last of all, is written over it. They are a second apart because a short file's own times may round to one.
const APART = 'setpts=N/TB';

function thumbnailChain(thumbnail: NonNullable<EncodePlan['thumbnail']>): string {
  const at = seconds(thumbnail.atSeconds);
  const chosen = `select='eq(n,0)+gte(t,${at})*lt(prev_selected_t,${at})'`;
  return `${chosen},${scale(thumbnail)}:out_range=full,format=yuvj420p,${APART}`;
}

export function posterChain(poster: NonNullable<EncodePlan['poster']>, saysTime: boolean): string {
  const spread = `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${seconds(poster.everySeconds)})'`;
  const candidates = `${spread},${scale(poster)}:out_range=full,format=yuvj420p,split[start][candidates]`;
  const time = saysTime ? `,${MARK},metadata=mode=print:key=picture:file=${POSTER_TIME}:direct=1` : '';
  const best = `[candidates]thumbnail=${poster.candidates}${time}[best]`;
  return `${candidates};[start]trim=end_frame=1[first];${best};[first][best]concat,${APART}`;
}

function seconds(n: number): string {
  return n.toFixed(6);
}
