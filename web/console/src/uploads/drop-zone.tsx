import { useEffect, useState } from 'react';
import { droppedFiles } from './dropped-files.ts';
import { useUploads } from './use-uploads.tsx';

/** The whole page takes files. */
export function DropZone() {
  const { uploads, place } = useUploads();
  const collectionId = place?.collectionId;
  const [over, setOver] = useState(false);
  useEffect(() => {
    const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') ?? false;
    const onOver = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      setOver(false);
      void droppedFiles(event.dataTransfer).then((files) => uploads.add(files, collectionId));
    };
    addEventListener('dragover', onOver);
    addEventListener('dragleave', onLeave);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onOver);
      removeEventListener('dragleave', onLeave);
      removeEventListener('drop', onDrop);
    };
  }, [uploads, collectionId]);
  return over ? <div className="drop">{`Drop files to upload them${place ? ` to ${place.title}` : ''}`}</div> : null;
}
