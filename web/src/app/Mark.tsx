/** The sign of the house. */
export function Mark({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="8" fill="#2b62e6" />
      <path d="M6.500 9.500h4.600L16 19.200l4.900-9.700h4.600L17.600 24.500h-3.200z" fill="#fff" />
      <circle cx="16" cy="9.800" r="2.700" fill="#fff" />
    </svg>
  );
}
