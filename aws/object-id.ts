/** One object, or one version of it. */
export interface ObjectId {
  bucket: string;
  key: string;
  versionId?: string | undefined;
}
