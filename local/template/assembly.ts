import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { TemplateError } from './errors.ts';

/** The parts of cdk.out that are read. https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema */

const Manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({ type: z.string(), properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});

const Destinations = z.record(z.string(), z.record(z.string(), z.unknown()));
const AssetManifest = z.object({
  files: z
    .record(z.string(), z.object({ source: z.object({ path: z.string().optional() }), destinations: Destinations }))
    .default({}),
  dockerImages: z
    .record(
      z.string(),
      z.object({
        source: z.object({ directory: z.string().optional(), dockerFile: z.string().optional() }),
        destinations: Destinations,
      }),
    )
    .default({}),
});

const Resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Condition: z.string().optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
const Template = z.looseObject({
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.unknown().optional() })).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), Resource),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown(), Condition: z.string().optional() })).default({}),
});
export type RawTemplate = z.infer<typeof Template>;

export function parseTemplate(value: unknown): RawTemplate {
  return Template.parse(value);
}

export interface Assets {
  /** Directory or file of a file asset, by its object key in the assets bucket. */
  file(objectKey: string): string;
  /** Build context and Dockerfile of an image asset, by the image's URI. */
  image(uri: string): { directory: string; dockerFile: string };
}

export interface Assembly {
  stack: string;
  file: string;
  template: RawTemplate;
  assets: Assets;
}

/**
 * Reads a cloud assembly of one stack.
 * @throws TemplateError when there is none, or more than one
 */
export async function readAssembly(directory: string): Promise<Assembly> {
  const manifest = Manifest.parse(await readJson(join(directory, 'manifest.json')));
  const stacks = Object.entries(manifest.artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [stack, ...others] = stacks;
  if (!stack) throw new TemplateError(`${directory}/manifest.json names no stack`);
  if (others.length > 0) {
    throw new TemplateError(`${directory} holds the stacks ${stacks.map(([name]) => name).join(', ')}: one is served`);
  }
  const file = join(directory, String(stack[1].properties?.templateFile));
  const template = parseTemplate(await readJson(file));
  const manifests = Object.values(manifest.artifacts).filter(({ type }) => type === 'cdk:asset-manifest');
  const assets = await Promise.all(
    manifests.map(async ({ properties }) => readJson(join(directory, String(properties?.file)))),
  );
  return { stack: stack[0], file, template, assets: findAssets(directory, assets) };
}

function findAssets(directory: string, manifests: unknown[]): Assets {
  const files = new Map<string, string>();
  const images = new Map<string, { directory: string; dockerFile: string }>();
  for (const manifest of manifests.map((value) => AssetManifest.parse(value))) {
    for (const { source, destinations } of Object.values(manifest.files)) {
      for (const { objectKey } of Object.values(destinations)) {
        if (source.path) files.set(String(objectKey), resolve(directory, source.path));
      }
    }
    for (const { source, destinations } of Object.values(manifest.dockerImages)) {
      for (const { imageTag } of Object.values(destinations)) {
        if (!source.directory) continue;
        const context = resolve(directory, source.directory);
        images.set(String(imageTag), {
          directory: context,
          dockerFile: join(context, source.dockerFile ?? 'Dockerfile'),
        });
      }
    }
  }
  return {
    file: (objectKey) => found(files.get(objectKey), `file asset ${objectKey}`),
    image: (uri) => found(images.get(uri.slice(uri.lastIndexOf(':') + 1)), `image asset ${uri}`),
  };
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TemplateError(`the ${what} is not in the asset manifest`);
  return value;
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'));
}
