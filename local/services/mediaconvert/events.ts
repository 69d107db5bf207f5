import { ACCOUNT_ID } from '../../kernel/account.ts';
import type { EmitEvent } from '../../kernel/service.ts';
import { type Job, jobArn } from './job.ts';
import { fraction, type ProbedInput } from './probe.ts';

export type MediaConvertEvent = Parameters<EmitEvent>[0];

/**
 * Events of jobs: https://docs.aws.amazon.com/mediaconvert/latest/ug/eventbridge_events.html, and as guardian/media-atom-maker and
 * mitodl/odl-video-service have received them. There is none for SUBMITTED.
 * @param at milliseconds since the epoch
 */
export function jobEvent(job: Job, at: number, status: string, more: object = {}): MediaConvertEvent {
  return {
    source: 'aws.mediaconvert',
    'detail-type': 'MediaConvert Job State Change',
    resources: [jobArn(job.id)],
    time: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
    detail: {
      timestamp: at,
      accountId: ACCOUNT_ID,
      queue: job.queue,
      jobId: job.id,
      status,
      userMetadata: job.request.userMetadata,
      ...more,
    },
  };
}

export function inputInformation(job: Job, { video, audio }: ProbedInput): object {
  const rate = fraction(video?.avg_frame_rate);
  return {
    inputDetails: [
      {
        id: 1,
        uri: job.request.settings.inputs[0]?.fileInput,
        audio: audio.map(({ channels, codec_name, tags, sample_rate, index }) => ({
          channels,
          codec: codec_name.toUpperCase(),
          language: (tags.language ?? 'und').toUpperCase(),
          sampleRate: sample_rate,
          streamId: index + 1,
        })),
        video: video
          ? [
              {
                bitDepth: /1[02]/.exec(video.pix_fmt ?? '')?.[0] === undefined ? 8 : 10,
                codec: video.codec_name === 'h264' ? 'H_264' : video.codec_name.toUpperCase(),
                colorFormat: 'YUV_420',
                fourCC: video.codec_tag_string,
                ...(rate && { frameRate: Math.round((rate.num / rate.den) * 100) / 100 }),
                width: video.width,
                height: video.height,
                interlaceMode:
                  video.field_order === undefined || video.field_order === 'progressive' ? 'PROGRESSIVE' : 'INTERLACED',
                sar: video.sample_aspect_ratio ?? '1:1',
                standard: 'UNSPECIFIED',
                streamId: video.index + 1,
              },
            ]
          : [],
      },
    ],
  };
}

export function statusUpdate(job: Job, { frames, fraction: done }: { frames: number; fraction: number }): object {
  const percent = Math.floor(done * 100);
  return {
    framesDecoded: frames,
    jobProgress: {
      jobPercentComplete: job.percent ?? 0,
      currentPhase: job.phase,
      retryCount: 0,
      phaseProgress: {
        PROBING: { status: 'COMPLETE', percentComplete: 100 },
        TRANSCODING: { status: 'PROGRESSING', percentComplete: percent },
        UPLOADING: { status: 'PENDING', percentComplete: 0 },
      },
    },
  };
}
