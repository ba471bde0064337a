// From a file of sound to samples.

export const sampleRate = 16_000;
/** Beyond this the lattice could not be shown. */
const longestSeconds = 600;

/** One channel at 16 kHz. @throws RangeError for what is no sound, and for one that is too long. */
export async function decode(sound: File): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await sound.arrayBuffer();
  const buffer = await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(bytes).catch(() => {
    throw new RangeError(`${sound.name}: expected a sound that this browser can decode`);
  });
  if (buffer.duration > longestSeconds)
    throw new RangeError(
      `${sound.name}: expected at most ${longestSeconds / 60} minutes, got ${(buffer.duration / 60).toFixed(1)}`,
    );
  const samples = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const of = buffer.getChannelData(channel);
    for (let i = 0; i < samples.length; i++) samples[i]! += of[i]! / buffer.numberOfChannels;
  }
  return samples;
}
