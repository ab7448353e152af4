/**
 * The shell blocks of the documentation that no test pastes. The keys are the page and the first line of the block. The
 * value is the reason why no test pastes the block.
 */
export const NOT_RUN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'docker build --tag ghcr.io/capabilitypolicy/operator:v0.1.0 .':
      'it needs Docker and kind; test/image builds the Dockerfile, test/install applies config/default, and test/node runs both on a node',
    'npm run demo': 'it keeps everything running until Ctrl-C; the next block tells the same and ends',
    'npm test': 'it is the command that runs this',
  },
  'docs/compare.md': {
    "cappol compare restricted - <<'EOF'": 'test/cli/compare.test.ts compares its output',
    'cappol compare git:origin/main:policies policies --fail-on opens -o markdown':
      'it needs a repository with policies; test/cli/compare-commit.test.ts has one',
    'cappol compare policies': 'it needs a folder with policies; test/cli/compare-findings.test.ts has its own',
  },
  'docs/compliance.md': {
    'cappol status -A -o compliance':
      'it needs a cluster with these workloads; test/cli/compliance.test.ts compares the output that the page shows',
  },
  'docs/evidence.md': {
    'cappol explain -f deploy/ --used trace.jsonl':
      'it needs records of a cluster; test/cli/evidence.test.ts has its own',
  },
  'docs/exceptions.md': {
    'cappol suggest --cluster -A --tighten -o patch':
      'it needs a cluster with unused grants; test/cli/tighten-live.test.ts applies the patches that it prints',
  },
  'docs/fixing-manifests.md': {
    "cat >web.yaml <<'EOF'": 'it writes into the checkout; test/cli/fix.test.ts compares its diff in another folder',
  },
  'docs/observe.md': {
    'cappol observe --cluster --for 1h > used.jsonl':
      'it takes an hour; test/kernel/observe.test.ts observes containers, and reads what it printed',
  },
  'docs/page.md': {
    'cappol ui': 'it ends with Ctrl-C; test/cli/ui-live.test.ts opens its link',
    'ssh -L 8765:127.0.0.1:8765 bastion cappol ui --port 8765': 'it needs another machine',
    'cappol report --html report.html': 'it writes into the checkout; test/cli/report.test.ts writes elsewhere',
    'cappol ui --used observed.jsonl':
      'it needs records of a cluster; test/cli/ui-live.test.ts and evidence-live.test.ts have their own',
  },
  'docs/static-protection.md': {
    'cappol render --static --directory capabilitypolicy':
      'it writes into the checkout; test/cli/render-static.test.ts writes elsewhere',
    'kubectl get --raw /metrics | grep manifest_admission_config_controller_last_config_info':
      'it needs API servers with these files; test/attacks/protection.test.ts compares the hash',
    'kubectl get capabilitypolicies -o custom-columns=\'NAME:.metadata.name,PROTECTED:.status.conditions[?(@.type=="Protected")].message\'':
      'it needs API servers with these files; test/attacks/protection.test.ts reads the condition',
    'mv /etc/kubernetes/capabilitypolicy/validating/protection.yaml /root/':
      'it needs a control plane node; test/attacks/protection.test.ts removes the file of its API server',
    'cappol render --static --directory capabilitypolicy --policy policy.yaml':
      'it writes into the checkout; test/cli/render-static.test.ts writes elsewhere',
  },
};
