/** Draws a waveform.json (audiowaveform's version 2 format) and follows the player. */

interface Waveform {
  bits: 8 | 16;
  channels: number;
  length: number;
  /** Minimum and maximum in turn, a pair per channel and pixel. */
  data: number[];
}

/**
 * A click on the canvas seeks. A missing waveform leaves the canvas hidden.
 * @throws nothing
 */
export async function drawWaveform(canvas: HTMLCanvasElement, url: string, player: HTMLMediaElement): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) return;
  const waveform = (await response.json()) as Waveform;
  canvas.hidden = false;
  const paint = () => paintWaveform(canvas, waveform, player.duration > 0 ? player.currentTime / player.duration : 0);
  paint();
  player.addEventListener('timeupdate', paint);
  addEventListener('resize', paint);
  canvas.addEventListener('click', (event) => {
    if (player.duration > 0) player.currentTime = (event.offsetX / canvas.clientWidth) * player.duration;
  });
}

function paintWaveform(canvas: HTMLCanvasElement, waveform: Waveform, played: number): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const width = canvas.clientWidth * devicePixelRatio;
  const height = canvas.clientHeight * devicePixelRatio;
  canvas.width = width;
  canvas.height = height;
  const peak = 2 ** (waveform.bits - 1);
  const stride = waveform.channels * 2;
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x / width) * waveform.length);
    const to = Math.max(from + 1, Math.floor(((x + 1) / width) * waveform.length));
    let low = 0;
    let high = 0;
    for (let i = from * stride; i < to * stride; i += 2) {
      low = Math.min(low, waveform.data[i] ?? 0);
      high = Math.max(high, waveform.data[i + 1] ?? 0);
    }
    context.fillStyle = x / width < played ? '#2f6fde' : '#8fa8cf';
    const top = (1 - high / peak) * (height / 2);
    context.fillRect(x, top, 1, Math.max(1, (1 - low / peak) * (height / 2) - top));
  }
}
