export default function Diagnose() {
  return null;
}
