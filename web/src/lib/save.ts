/** Hands a text to the browser as a download. */
export function saveText(name: string, type: string, text: string) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has its own hold on the data as soon as it began.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
