/** Writes the formula for Homebrew (https://docs.brew.sh/Formula-Cookbook). */
import { type Archive, REPOSITORY } from './archives.ts';

/** The text of cappol.rb. The formula has archives for macOS and Linux, because Homebrew runs on these systems. */
export function homebrewFormula(version: string, archives: readonly Archive[]): string {
  return `class Cappol < Formula
  desc "Check Linux capabilities and pod security of Kubernetes manifests and clusters"
  homepage "${REPOSITORY}"
  version "${version}"
  license "Apache-2.0"

${systemText('macos', 'darwin', archives)}

${systemText('linux', 'linux', archives)}

  def install
    bin.install "cappol"
    bin.install_symlink "cappol" => "kubectl-cappol"
    generate_completions_from_executable(bin/"cappol", "completion")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/cappol version")
    assert_match "permits", shell_output("#{bin}/cappol explain NET_RAW")
  end
end
`;
}

function systemText(name: string, os: Archive['os'], archives: readonly Archive[]): string {
  const processors = archives
    .filter((archive) => archive.os === os)
    .map(({ arch, url, sha256 }) => {
      const processor = arch === 'arm64' ? 'arm' : 'intel';
      return `    on_${processor} do\n      url "${url}"\n      sha256 "${sha256}"\n    end`;
    });
  return `  on_${name} do\n${processors.join('\n')}\n  end`;
}
