// Draws small films of places that cameras look at, so that screenshots show something calmer than test cards.
// Everything is drawn here; nothing is filmed. `makeScenes(dir)` writes one MP4 per scene and gives their paths.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '../browser.mjs';

export const SCENES = ['court-1', 'court-2', 'entrance', 'car-park', 'terrace', 'store-room'];
const WIDTH = 1280;
const HEIGHT = 720;
const FPS = 12;
const SECONDS = 8;

/** Runs in the page: draws frame `n` of a scene. Loops after SECONDS. */
function painter(width, height, frames) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const g = canvas.getContext('2d');
  const TAU = Math.PI * 2;

  // A pinhole camera above the ground, looking down the z axis.
  const view = { height: 5.5, back: 9, pitch: 0.42, zoom: 1.05, yaw: 0 };
  const project = (x, y, z) => {
    const cy = Math.cos(view.yaw);
    const sy = Math.sin(view.yaw);
    const rx = x * cy - z * sy;
    const rz = x * sy + z * cy + view.back;
    const ry = y - view.height;
    const cp = Math.cos(view.pitch);
    const sp = Math.sin(view.pitch);
    const dy = ry * cp + rz * sp;
    const dz = Math.max(0.2, rz * cp - ry * sp);
    const f = (width / 2) * 1.2 * view.zoom;
    return [width / 2 + (rx / dz) * f, height / 2 - (dy / dz) * f, dz];
  };
  const shape = (points, fill) => {
    g.beginPath();
    points.forEach((p, i) => {
      const [x, y] = project(...p);
      if (i === 0) g.moveTo(x, y);
      else g.lineTo(x, y);
    });
    g.closePath();
    g.fillStyle = fill;
    g.fill();
  };
  const floor = (x0, z0, x1, z1, fill, y = 0) =>
    shape(
      [
        [x0, y, z0],
        [x1, y, z0],
        [x1, y, z1],
        [x0, y, z1],
      ],
      fill,
    );
  const box = (x, z, w, d, h, top, side, front, y = 0) => {
    const [x0, x1, z0, z1] = [x - w / 2, x + w / 2, z - d / 2, z + d / 2];
    if (x > 0.2)
      shape(
        [
          [x0, y, z0],
          [x0, y, z1],
          [x0, y + h, z1],
          [x0, y + h, z0],
        ],
        side,
      );
    if (x < -0.2)
      shape(
        [
          [x1, y, z0],
          [x1, y, z1],
          [x1, y + h, z1],
          [x1, y + h, z0],
        ],
        side,
      );
    shape(
      [
        [x0, y, z0],
        [x1, y, z0],
        [x1, y + h, z0],
        [x0, y + h, z0],
      ],
      front,
    );
    shape(
      [
        [x0, y + h, z0],
        [x1, y + h, z0],
        [x1, y + h, z1],
        [x0, y + h, z1],
      ],
      top,
    );
  };
  const person = (x, z, shirt, legs, phase) => {
    const [bx, by, d] = project(x, 0, z);
    const [, ty] = project(x, 1.75, z);
    const h = by - ty;
    g.save();
    g.translate(bx, by);
    g.fillStyle = 'rgba(0,0,0,.28)';
    g.beginPath();
    g.ellipse(h * 0.1, 0, h * 0.26, h * 0.07, 0, 0, TAU);
    g.fill();
    g.lineCap = 'round';
    const swing = Math.sin(phase) * h * 0.11;
    g.strokeStyle = legs;
    g.lineWidth = h * 0.11;
    for (const s of [1, -1]) {
      g.beginPath();
      g.moveTo(0, -h * 0.48);
      g.lineTo(swing * s, -h * 0.04);
      g.stroke();
    }
    g.strokeStyle = shirt;
    g.lineWidth = h * 0.2;
    g.beginPath();
    g.moveTo(0, -h * 0.55);
    g.lineTo(0, -h * 0.74);
    g.stroke();
    g.lineWidth = h * 0.075;
    for (const s of [1, -1]) {
      g.beginPath();
      g.moveTo(s * h * 0.07, -h * 0.78);
      g.lineTo(s * h * 0.1 - swing * s * 0.8, -h * 0.52);
      g.stroke();
    }
    g.fillStyle = '#c99a77';
    g.beginPath();
    g.arc(0, -h * 0.92, h * 0.078, 0, TAU);
    g.fill();
    g.restore();
    return d;
  };
  const sky = (top, bottom) => {
    const s = g.createLinearGradient(0, 0, 0, height);
    s.addColorStop(0, top);
    s.addColorStop(1, bottom);
    g.fillStyle = s;
    g.fillRect(0, 0, width, height);
  };
  const glow = (x, y, z, radius, colour) => {
    const [sx, sy] = project(x, y, z);
    const s = g.createRadialGradient(sx, sy, 0, sx, sy, radius);
    s.addColorStop(0, colour);
    s.addColorStop(1, 'rgba(0,0,0,0)');
    g.fillStyle = s;
    g.fillRect(sx - radius, sy - radius, radius * 2, radius * 2);
  };

  const court = (t, base, line, around, sun) => {
    Object.assign(view, { height: 7.2, back: 15.5, pitch: 0.47, zoom: 1.3, yaw: 0 });
    sky(sun ? '#8fa9b8' : '#10151d', sun ? '#c9d2d3' : '#232b36');
    floor(-40, -14, 40, 60, around);
    floor(-5, -10, 5, 10, base);
    const w = 0.06;
    const strip = (x0, z0, x1, z1) => floor(x0 - w, z0 - w, x1 + w, z1 + w, line);
    strip(-5, -7, 5, -7);
    strip(-5, 7, 5, 7);
    strip(0, -7, 0, 7);
    // Glass and mesh, far side first.
    const pane = 'rgba(190,215,225,.16)';
    shape(
      [
        [-5, 0, 10],
        [5, 0, 10],
        [5, 3, 10],
        [-5, 3, 10],
      ],
      pane,
    );
    for (const s of [-1, 1]) {
      shape(
        [
          [5 * s, 0, 10],
          [5 * s, 0, 6],
          [5 * s, 3, 6],
          [5 * s, 3, 10],
        ],
        pane,
      );
      for (let z = -10; z <= 10; z += 2) {
        const [x0, y0] = project(5 * s, 0, z);
        const [x1, y1] = project(5 * s, z > 6 || z < -6 ? 4 : 3, z);
        g.strokeStyle = sun ? '#3c464c' : '#11161b';
        g.lineWidth = 3;
        g.beginPath();
        g.moveTo(x0, y0);
        g.lineTo(x1, y1);
        g.stroke();
      }
    }
    for (let x = -5; x <= 5; x += 2) {
      const [x0, y0] = project(x, 0, 10);
      const [x1, y1] = project(x, 4, 10);
      g.strokeStyle = sun ? '#3c464c' : '#11161b';
      g.lineWidth = 2.5;
      g.beginPath();
      g.moveTo(x0, y0);
      g.lineTo(x1, y1);
      g.stroke();
    }
    const a = t * TAU;
    const players = [
      [-2.4 + Math.sin(a * 2) * 1.2, 5.2 + Math.cos(a * 3) * 1.1, '#e8e6df', '#20242a'],
      [2.3 + Math.cos(a * 2) * 1.3, 3.4 + Math.sin(a * 2) * 1.4, '#d7532f', '#20242a'],
    ];
    const near = [
      [-2.2 + Math.cos(a * 3) * 1.3, -3.6 + Math.sin(a * 2) * 1.3, '#f2c230', '#1d2b4a'],
      [2.6 + Math.sin(a * 2) * 1.2, -5.6 + Math.cos(a * 2) * 1.1, '#2e7d5b', '#15181c'],
    ];
    for (const [x, z, s, l] of players) person(x, z, s, l, a * 9 + x);
    shape(
      [
        [-5, 0, 0],
        [5, 0, 0],
        [5, 0.9, 0],
        [-5, 0.9, 0],
      ],
      'rgba(16,20,24,.55)',
    );
    shape(
      [
        [-5, 0.86, 0],
        [5, 0.86, 0],
        [5, 0.96, 0],
        [-5, 0.96, 0],
      ],
      '#eef0ee',
    );
    for (const [x, z, s, l] of near) person(x, z, s, l, a * 9 + x);
    const flight = (t * 5) % 1;
    const there = Math.floor(t * 5) % 2 === 0;
    const bz = there ? -4 + flight * 8.5 : 4.5 - flight * 8.5;
    const [bx, by, bd] = project(Math.sin(t * TAU * 3) * 2, 0.6 + Math.sin(flight * Math.PI) * 2.2, bz);
    g.fillStyle = '#e9f45a';
    g.beginPath();
    g.arc(bx, by, 62 / bd, 0, TAU);
    g.fill();
    if (!sun) for (const x of [-5, 5]) glow(x, 6, 4, 420, 'rgba(200,220,255,.20)');
  };

  const scenes = {
    'court-1': (t) => court(t, '#1f63b4', '#eef2f4', '#2b4f46', true),
    'court-2': (t) => court((t + 0.37) % 1, '#2b7a68', '#dfe9e6', '#1a2126', false),
    entrance: (t) => {
      Object.assign(view, { height: 3.1, back: 8, pitch: 0.26, zoom: 0.95, yaw: -0.12 });
      sky('#d9d6cf', '#bdb8ae');
      floor(-9, -8, 9, 9, '#a9a296');
      for (let z = -8; z < 9; z += 1.5)
        for (let x = -9; x < 9; x += 1.5)
          floor(x + 0.03, z + 0.03, x + 1.47, z + 1.47, Math.round(x + z) & 1 ? '#b4ada0' : '#ada698');
      shape(
        [
          [-9, 0, 9],
          [9, 0, 9],
          [9, 5, 9],
          [-9, 5, 9],
        ],
        '#cfc9bd',
      );
      shape(
        [
          [-9, 0, 9],
          [-9, 0, -8],
          [-9, 5, -8],
          [-9, 5, 9],
        ],
        '#c3bcb0',
      );
      const door = g.createLinearGradient(0, 150, 0, 420);
      door.addColorStop(0, '#dff0f7');
      door.addColorStop(1, '#a9c6cf');
      shape(
        [
          [-2.2, 0, 8.98],
          [2.2, 0, 8.98],
          [2.2, 3, 8.98],
          [-2.2, 3, 8.98],
        ],
        '#3a3f44',
      );
      const open = Math.max(0, Math.sin(t * TAU)) * 0.9;
      shape(
        [
          [-2, 0, 8.97],
          [2, 0, 8.97],
          [2, 2.8, 8.97],
          [-2, 2.8, 8.97],
        ],
        door,
      );
      shape(
        [
          [-2, 0, 8.96],
          [-open, 0, 8.96],
          [-open, 2.8, 8.96],
          [-2, 2.8, 8.96],
        ],
        'rgba(60,80,90,.35)',
      );
      shape(
        [
          [open, 0, 8.96],
          [2, 0, 8.96],
          [2, 2.8, 8.96],
          [open, 2.8, 8.96],
        ],
        'rgba(60,80,90,.35)',
      );
      box(5.6, 5, 3.4, 1.2, 1.15, '#d8c3a2', '#8a6f4e', '#a5855e');
      box(-6.6, 4, 1.2, 1.2, 0.7, '#5a4634', '#3d3024', '#4a3a2b');
      glow(-6.6, 1.6, 4, 90, 'rgba(46,110,66,.9)');
      glow(-6.4, 2.1, 4, 70, 'rgba(70,140,84,.9)');
      person(5.6, 6.1, '#28527a', '#1b1e22', 0.4);
      const walk = t < 0.5 ? t * 2 : 2 - t * 2;
      person(0.3 + walk * 2, 8.4 - walk * 10, '#b5473c', '#2c3440', t * TAU * 10);
      person(-3 + Math.sin(t * TAU) * 0.2, 3 + Math.cos(t * TAU) * 0.2, '#4d5f4a', '#24282d', Math.sin(t * TAU) * 2);
    },
    'car-park': (t) => {
      Object.assign(view, { height: 6.2, back: 12, pitch: 0.4, zoom: 1, yaw: 0.22 });
      sky('#0b1118', '#1a222d');
      floor(-30, -14, 30, 40, '#262b31');
      for (let i = -5; i <= 5; i += 1) {
        floor(i * 2.7 - 0.05, 4, i * 2.7 + 0.05, 9, '#8d949b');
        floor(i * 2.7 - 0.05, -6, i * 2.7 + 0.05, -1, '#8d949b');
      }
      const car = (x, z, paint, dark, lights) => {
        box(x, z, 1.75, 4.1, 0.75, paint, dark, dark, 0.25);
        box(x, z + 0.2, 1.5, 2.1, 0.62, paint, '#141a20', '#1b2229', 1);
        if (lights) for (const s of [-0.6, 0.6]) glow(x + s, 0.6, z - 2.1, 120, 'rgba(255,240,205,.75)');
      };
      glow(-6, 0, 8, 520, 'rgba(255,214,150,.30)');
      glow(9, 0, 6, 480, 'rgba(255,214,150,.26)');
      car(-9.4, 6.6, '#5b6670', '#3a4249');
      car(-4, 6.7, '#7c2b2b', '#561c1c');
      car(1.35, 6.6, '#c9cdd0', '#8d9296');
      car(6.7, 6.5, '#2b4a72', '#1d3350');
      const drive = t * 44 - 22;
      car(drive, 1.6, '#9aa3ab', '#666e75', true);
      car(-6.8, -3.5, '#384b3e', '#26332a');
      car(4, -3.4, '#b9b3a6', '#858074');
      person(-1.3 + Math.sin(t * TAU) * 2, -2.2, '#88715a', '#23262a', t * TAU * 8);
      for (const x of [-6, 9]) {
        const [px, py] = project(x, 0, 10);
        const [qx, qy] = project(x, 6, 10);
        g.strokeStyle = '#0b0e12';
        g.lineWidth = 6;
        g.beginPath();
        g.moveTo(px, py);
        g.lineTo(qx, qy);
        g.stroke();
        glow(x, 6, 10, 150, 'rgba(255,226,170,.95)');
      }
    },
    terrace: (t) => {
      Object.assign(view, { height: 4.6, back: 9, pitch: 0.36, zoom: 1, yaw: -0.3 });
      sky('#e9b98a', '#8a6f7f');
      floor(-20, -12, 20, 8, '#7b5a41');
      for (let z = -12; z < 8; z += 0.6) floor(-20, z, 20, z + 0.05, '#684a34');
      floor(-30, 8, 30, 40, '#4d5a46');
      for (let i = 0; i < 9; i += 1) glow(-14 + i * 3.6, 1.6 + Math.sin(i * 5) * 0.5, 14, 130, 'rgba(52,74,48,.95)');
      shape(
        [
          [-20, 0, 8],
          [20, 0, 8],
          [20, 1, 8],
          [-20, 1, 8],
        ],
        'rgba(225,232,235,.18)',
      );
      shape(
        [
          [-20, 1, 8],
          [20, 1, 8],
          [20, 1.08, 8],
          [-20, 1.08, 8],
        ],
        '#3b332e',
      );
      const table = (x, z, umbrella) => {
        const [sx, sy, d] = project(x, 0.75, z);
        g.fillStyle = '#2d2622';
        g.fillRect(sx - 30 / d, sy, 60 / d, 560 / d);
        g.fillStyle = '#d9cbb8';
        g.beginPath();
        g.ellipse(sx, sy, 620 / d, 190 / d, 0, 0, TAU);
        g.fill();
        if (!umbrella) return;
        const [ux, uy] = project(x, 2.7, z);
        g.strokeStyle = '#efe6d8';
        g.lineWidth = 5;
        g.beginPath();
        g.moveTo(sx, sy);
        g.lineTo(ux, uy);
        g.stroke();
        g.fillStyle = umbrella;
        g.beginPath();
        g.moveTo(ux, uy - 420 / d);
        g.lineTo(ux - 1250 / d, uy + 120 / d);
        g.quadraticCurveTo(ux, uy + 330 / d, ux + 1250 / d, uy + 120 / d);
        g.fill();
      };
      table(-4.5, 5, '#b6503e');
      person(-3, 5.4, '#e5ded2', '#3a3f47', 0.3);
      table(2.2, 4.4, '#d9a441');
      person(3.7, 4.6, '#3f6a8a', '#2a2d32', 0.2);
      person(1, 4.9, '#9a4d60', '#2a2d32', 0.1);
      table(-1.5, -0.4, null);
      person(6.5 - t * 13, 1.8, '#1e2226', '#1e2226', t * TAU * 9);
      table(5.2, 0, null);
      glow(0, 5, 20, 700, 'rgba(255,190,120,.28)');
    },
    'store-room': (t) => {
      Object.assign(view, { height: 4.4, back: 9, pitch: 0.3, zoom: 0.95, yaw: 0.05 });
      sky('#1a1e22', '#2c3238');
      floor(-8, -9, 8, 26, '#6f757a');
      floor(-1.7, -9, -1.55, 26, '#d5b22e');
      floor(1.55, -9, 1.7, 26, '#d5b22e');
      shape(
        [
          [-8, 0, 26],
          [8, 0, 26],
          [8, 7, 26],
          [-8, 7, 26],
        ],
        '#3d444b',
      );
      const paints = ['#a9855a', '#b99566', '#8f6f49', '#c2a277', '#7d8c99', '#a37b4f'];
      for (let z = 22; z >= -4; z -= 4.4) {
        for (const s of [-1, 1]) {
          for (let level = 0; level < 3; level += 1) {
            for (let k = 0; k < 2; k += 1) {
              const c = paints[Math.abs(Math.round(z * 3 + level * 5 + k * 7 + s)) % paints.length];
              box(s * (3.4 + k * 1.7), z, 1.5, 2.4, 1.15, c, '#5d452c', '#77593a', level * 1.75 + 0.2);
            }
            shape(
              [
                [s * 2.5, level * 1.75 + 1.66, z - 1.9],
                [s * 6.4, level * 1.75 + 1.66, z - 1.9],
                [s * 6.4, level * 1.75 + 1.82, z - 1.9],
                [s * 2.5, level * 1.75 + 1.82, z - 1.9],
              ],
              '#c4571f',
            );
          }
          box(s * 2.5, z - 1.9, 0.14, 0.14, 5.4, '#27507e', '#1b3a5e', '#27507e');
        }
      }
      const along = t < 0.5 ? t * 2 : 2 - t * 2;
      person(-0.4 + Math.sin(t * TAU) * 0.3, 16 - along * 17, '#e07b25', '#23303f', t * TAU * 12);
      for (let z = 2; z < 26; z += 7) glow(0, 6.6, z, 1400 / (z + 8), 'rgba(235,242,255,.55)');
    },
  };

  return (name, n) => {
    g.globalAlpha = 1;
    scenes[name](n / frames);
    // Lens and sensor: darker corners, a little grain.
    const v = g.createRadialGradient(width / 2, height / 2, height * 0.45, width / 2, height / 2, width * 0.66);
    v.addColorStop(0, 'rgba(0,0,0,0)');
    v.addColorStop(1, 'rgba(0,0,0,.42)');
    g.fillStyle = v;
    g.fillRect(0, 0, width, height);
    const image = g.getImageData(0, 0, width, height);
    const d = image.data;
    let seed = n * 7919 + 17;
    for (let i = 0; i < d.length; i += 4) {
      seed = (seed * 1664525 + 1013904223) | 0;
      const noise = (seed >> 28) * 0.55;
      d[i] += noise;
      d[i + 1] += noise;
      d[i + 2] += noise;
    }
    g.putImageData(image, 0, 0);
    return canvas.toDataURL('image/jpeg', 0.93).slice(23);
  };
}

/** Writes `<dir>/<scene>.mp4` (H.264, key frame each second) for scenes that are not there yet. */
export async function makeScenes(dir) {
  mkdirSync(dir, { recursive: true });
  const missing = SCENES.filter((name) => !existsSync(join(dir, `${name}.mp4`)));
  if (missing.length > 0) {
    const browser = await chromium();
    const page = await browser.newPage();
    await page.evaluate(
      ([source, w, h, frames]) => {
        globalThis.paint = new Function(`return (${source})`)()(w, h, frames);
      },
      [painter.toString(), WIDTH, HEIGHT, FPS * SECONDS],
    );
    for (const name of missing) {
      const args = ['-y', '-loglevel', 'error', '-f', 'mjpeg', '-framerate', FPS, '-i', '-', '-c:v', 'libx264']
        .concat(['-preset', 'veryfast', '-crf', '24', '-pix_fmt', 'yuv420p', '-r', FPS, '-g', FPS, '-bf', '0'])
        .concat(['-movflags', '+faststart', join(dir, `${name}.mp4`)]);
      const ffmpeg = spawn('ffmpeg', args.map(String), { stdio: ['pipe', 'inherit', 'inherit'] });
      for (let n = 0; n < FPS * SECONDS; n += 1) {
        const jpeg = await page.evaluate(([scene, frame]) => globalThis.paint(scene, frame), [name, n]);
        if (!ffmpeg.stdin.write(Buffer.from(jpeg, 'base64'))) await new Promise((r) => ffmpeg.stdin.once('drain', r));
      }
      ffmpeg.stdin.end();
      await new Promise((resolve, reject) =>
        ffmpeg.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`ffmpeg ended with ${code}`)))),
      );
    }
    await browser.close();
  }
  return Object.fromEntries(SCENES.map((name) => [name, join(dir, `${name}.mp4`)]));
}
