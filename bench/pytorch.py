"""PyTorch's ctc_loss as a contestant: requests and answers as in worker.js. usage: pytorch.py THREADS"""

import json
import statistics
import sys
import time

import torch


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


class Pytorch:
    def open(self):
        torch.set_num_threads(int(sys.argv[1]))
        names = {"PyTorch": "cpu"}
        if torch.cuda.is_available():
            names["PyTorch CUDA"] = "cuda"
        self.devices = names
        name = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
        if torch.cuda.is_available():
            name += f", {torch.cuda.get_device_name()}"
        return {"name": name, "contestants": list(names)}

    def shape(self, shape, scores):
        T, N, C, S = shape
        self.logits = scores == "logits"
        x = torch.rand(T, N, C) * 4 - 2
        self.x = x if self.logits else x.log_softmax(2)
        self.targets = torch.randint(1, C, (N, S))
        self.lengths = torch.full((N,), T), torch.full((N,), S)
        self.ready = {}
        return {}

    def prepare(self, contestant):
        device = self.devices[contestant]
        x = self.x.to(device).requires_grad_()
        self.ready[contestant] = device, x, self.targets.to(device)
        return {"first": self.once(contestant)}

    def run(self, contestant, repeats):
        if repeats > 1:
            self.once(contestant)
        return {"ms": statistics.median(self.once(contestant) for _ in range(repeats))}

    def once(self, contestant):
        device, x, targets = self.ready[contestant]
        x.grad = None
        wait(device)
        start = time.perf_counter()
        scores = x.log_softmax(2) if self.logits else x
        torch.nn.functional.ctc_loss(scores, targets, *self.lengths, reduction="sum").backward()
        wait(device)
        return 1000 * (time.perf_counter() - start)


pytorch = Pytorch()
for line in sys.stdin:
    request = json.loads(line)
    do = request.pop("do")
    try:
        answer = getattr(pytorch, do)(**request)
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps({"do": do, **answer}), flush=True)
