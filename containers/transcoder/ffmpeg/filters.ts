import type { ColorPlan } from '../../../core/media/color.ts';
import type { EncodePlan, VideoPlan } from '../../../core/media/plan.ts';
import type { Size } from '../../../core/media/size.ts';

/** A filter graph: each line is one chain. Labels: `[v:NAME]` per rung, `[poster]`, `[thumbnail]`, `[mp4]`, `[a:NAME]`. */
export interface Graph {
  chains: string[];
}

export const rungLabel = (name: string) => `[v${name}]`;
export const audioLabel = (name: string) => `[a${name}]`;
export const MP4_LABEL = '[mp4]';
export const MP4_AUDIO_LABEL = '[amp4]';
export const POSTER_LABEL = '[poster]';
export const THUMBNAIL_LABEL = '[thumbnail]';

/** The whole graph, as the value of -filter_complex. */
export function filterGraph(plan: EncodePlan, hasToneMap: boolean): string {
  const chains = [
    ...(plan.video ? videoChains(plan, plan.video, hasToneMap) : []),
    ...(plan.audio ? audioChains(plan, plan.audio) : []),
  ];
  return chains.join(';');
}

/** One decode feeds the first rung; every next one is scaled from the one above it. */
function videoChains(plan: EncodePlan, video: VideoPlan, hasToneMap: boolean): string[] {
  const chains: string[] = [];
  const [top] = video.rungs;
  if (top === undefined) return [];
  const source = [...timing(video), ...toSdr(video.color, top, hasToneMap), 'setsar=1'].join(',');
  let input = `[0:${video.track}]${source}`;
  video.rungs.forEach((rung, i) => {
    const next = video.rungs[i + 1];
    const taps = [
      rungLabel(rung.name),
      ...(plan.mp4?.encode && i === 0 ? ['[tomp4]'] : []),
      ...(plan.thumbnail?.rung === rung.name ? ['[tothumbnail]'] : []),
      ...(plan.poster && next === undefined ? ['[toposter]'] : []),
      ...(next ? [`[below${i}]`] : []),
    ];
    chains.push(taps.length === 1 ? `${input}${taps[0]}` : `${input},split=${taps.length}${taps.join('')}`);
    if (next) input = `[below${i}]${scale(next)},setsar=1`;
  });
  if (plan.mp4?.encode) chains.push(`[tomp4]${scale(plan.mp4.encode)},setsar=1${MP4_LABEL}`);
  if (plan.thumbnail) chains.push(`[tothumbnail]${thumbnailChain(plan.thumbnail)}${THUMBNAIL_LABEL}`);
  if (plan.poster) chains.push(`[toposter]${posterChain(plan.poster)}${POSTER_LABEL}`);
  return chains;
}

function timing(video: VideoPlan): string[] {
  return [
    ...(video.deinterlace ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    ...(video.retime ? [`fps=${video.retime.num}/${video.retime.den}:start_time=0`] : []),
    ...(video.holdSeconds ? ["setpts='if(eq(N,0),0,PTS)'"] : []),
  ];
}

function scale(size: Size): string {
  return `scale=${size.width}:${size.height}:flags=bicubic`;
}

/** To 8-bit 4:2:0 with a limited range, in the top rung's size: tone mapping costs by the pixel. */
function toSdr(color: ColorPlan, top: Size, hasToneMap: boolean): string[] {
  const { primaries, transfer, matrix } = color.output;
  const label = `setparams=range=tv:color_primaries=${primaries}:color_trc=${transfer}:colorspace=${matrix}`;
  if (color.convert && hasToneMap) return [scale(top), ...toBt709(color.convert), 'format=yuv420p', label];
  const matrixOption = color.matrix ? `:out_color_matrix=${color.matrix}` : '';
  return [`${scale(top)}:out_range=tv${matrixOption}`, 'format=yuv420p', label];
}

// 203 cd/m² is the reference white of HDR, ITU-R BT.2408.
function toBt709(from: NonNullable<ColorPlan['convert']>): string[] {
  const matrix = from.matrix === 'bt2020nc' ? '2020_ncl' : from.matrix === 'bt2020c' ? '2020_cl' : from.matrix;
  const primaries = from.primaries === 'bt2020' ? '2020' : from.primaries === 'bt709' ? '709' : from.primaries;
  const transfer = TRANSFERS[from.transfer] ?? from.transfer;
  const linear = `zscale=tin=${transfer}:min=${matrix}:pin=${primaries}:t=linear:npl=203,format=gbrpf32le`;
  return [
    linear,
    'zscale=p=709',
    ...(from.toneMap ? ['tonemap=tonemap=hable:desat=0'] : []),
    'zscale=t=709:m=709:r=limited',
  ];
}

const TRANSFERS: Readonly<Record<string, string>> = { bt709: '709', 'bt2020-10': '2020_10', 'bt2020-12': '2020_12' };

// FFmpeg reports no progress before each output has a frame. So both pictures begin with the first frame, and the one that is
// wanted, which may come last of all, is written over it; a second apart, for a short file's own times may round to one.
const APART = 'setpts=N/TB';

function thumbnailChain(thumbnail: NonNullable<EncodePlan['thumbnail']>): string {
  const at = seconds(thumbnail.atSeconds);
  const chosen = `select='eq(n,0)+gte(t,${at})*lt(prev_selected_t,${at})'`;
  return `${chosen},${scale(thumbnail)}:out_range=full,format=yuvj420p,${APART}`;
}

function posterChain(poster: NonNullable<EncodePlan['poster']>): string {
  const spread = `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${seconds(poster.everySeconds)})'`;
  const candidates = `${spread},${scale(poster)}:out_range=full,format=yuvj420p,split[start][candidates]`;
  const best = `[candidates]thumbnail=${poster.candidates}[best]`;
  return `${candidates};[start]trim=end_frame=1[first];${best};[first][best]concat,${APART}`;
}

/** Less than what verification allows a rendition to be shorter by; FFmpeg's own 100 ms let gaps add up to more. */
const MOST_DRIFT_SECONDS = 0.04;

/** Sound is filled with silence from the file's start and over gaps, so that it stays with the picture. */
function audioChains(plan: EncodePlan, audio: NonNullable<EncodePlan['audio']>): string[] {
  const layout = audio.channels === 1 ? 'mono' : 'stereo';
  const inTime = `async=1:min_hard_comp=${MOST_DRIFT_SECONDS}:first_pts=0`;
  const source = `[0:${audio.track}]aresample=${audio.sampleRate}:${inTime},aformat=channel_layouts=${layout}`;
  const labels = audio.renditions.map((rendition) => audioLabel(rendition.name));
  const own = plan.mp4?.encode && plan.mp4.audio ? [MP4_AUDIO_LABEL] : [];
  const taps = [...labels, ...own];
  return [taps.length === 1 ? `${source}${taps[0]}` : `${source},asplit=${taps.length}${taps.join('')}`];
}

function seconds(n: number): string {
  return n.toFixed(6);
}
