"""Writes operators.json: operators with operands, and what ONNX's own evaluator makes of them.

    peers/bin/python operators.py

Each case is a node that is read by `tests/imported.rs` with its first operand as the input of a map; what the evaluator gives is
compared element by element.
"""

import json
import pathlib

import numpy as np
import onnx
import onnx.helper as helper
import onnx.reference

RANDOM = np.random.default_rng(0)


def g(*dims):
    return np.round(RANDOM.normal(size=dims), 3)


def positive(*dims):
    return np.round(np.exp(RANDOM.normal(size=dims)), 3)


def whole(*values):
    return np.array(values, dtype=np.int64)


def cases():
    for operator in ["Neg", "Abs", "Sign", "Reciprocal", "Exp", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Erf"]:
        yield operator, [g(2, 3)], {}
    for operator in ["Sigmoid", "Softplus", "Softsign", "Relu", "LeakyRelu", "Elu", "Celu", "Selu", "HardSigmoid", "Mish", "Gelu"]:
        yield operator, [3 * g(2, 3)], {}
    yield "ThresholdedRelu", [g(2, 3)], {"alpha": 0.5}
    yield "LeakyRelu", [g(2, 3)], {"alpha": 0.25}
    yield "Elu", [g(2, 3)], {"alpha": 0.5}
    yield "PRelu", [g(2, 3), positive(3)], {}
    yield "Log", [positive(2, 3)], {}
    yield "Sqrt", [positive(2, 3)], {}
    yield "Acosh", [1 + positive(2, 3)], {}
    yield "Atanh", [np.round(np.tanh(g(2, 3)), 3)], {}
    yield "Clip", [g(2, 3), np.array(-0.5), np.array(0.75)], {}
    for operator in ["Add", "Sub", "Mul", "Div"]:
        yield operator, [g(2, 3), positive(3)], {}
        yield operator, [g(2, 1, 3), positive(4, 1)], {}
    for operator in ["Max", "Min", "Sum", "Mean"]:
        yield operator, [g(2, 3), g(3), g(2, 1)], {}
    yield "Pow", [positive(2, 3), g(3)], {}
    yield "Pow", [g(2, 3), np.array([0.0, 1.0, 2.0])], {}
    yield "Pow", [g(2, 3), np.array(3.0)], {}
    yield "Pow", [positive(2, 3), np.array(-1.5)], {}
    yield "Flatten", [g(2, 3, 2)], {"axis": 2}
    yield "Reshape", [g(2, 3, 2), whole(0, -1)], {}
    yield "Squeeze", [g(2, 1, 3, 1), whole(1)], {}
    yield "Unsqueeze", [g(2, 3), whole(0, -1)], {}
    yield "Expand", [g(2, 1), whole(3, 1, 2)], {}
    yield "Tile", [g(2, 3), whole(2, 2)], {}
    yield "Transpose", [g(2, 3, 4)], {"perm": [2, 0, 1]}
    yield "Transpose", [g(2, 3)], {}
    yield "Slice", [g(4, 5), whole(1, -1), whole(4, -6), whole(0, 1), whole(2, -2)], {}
    yield "Slice", [g(4, 5), whole(-3), whole(2**62), whole(1)], {}
    yield "Concat", [g(2, 3), g(2, 2), g(2, 1)], {"axis": 1}
    yield "Concat", [g(2, 3), g(1, 3)], {"axis": 0}
    yield "Pad", [g(2, 3), whole(0, 1, 2, 3), np.array(0.5)], {}
    yield "Trilu", [g(4, 4)], {"upper": 0}
    yield "Trilu", [g(3, 4), np.array(1, dtype=np.int64)], {"upper": 1}
    yield "Gather", [g(3, 4), whole(2, 0, -1)], {"axis": 1}
    yield "Gather", [g(3, 4), np.array([[0, 2], [1, 1]])], {"axis": 0}
    yield "GatherElements", [g(2, 3), np.array([[0, 2, 1, -1], [2, 2, 0, 1]])], {"axis": 1}
    yield "GatherND", [g(2, 3, 2), np.array([[0, 2], [1, -1]])], {}
    yield "ScatterND", [g(3, 2), np.array([[2], [0]]), g(2, 2)], {}
    yield "ScatterElements", [g(2, 3), np.array([[1], [2]]), g(2, 1)], {"axis": 1}
    for operator in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]:
        yield operator, [g(2, 3, 2), whole(1)], {"keepdims": 0}
        yield operator, [g(2, 3), whole(0, 1)], {"keepdims": 1}
    yield "ReduceLogSum", [positive(2, 3), whole(-1)], {"keepdims": 0}
    for axis in [0, 1, -1]:
        yield "Softmax", [g(2, 3, 2)], {"axis": axis}
        yield "LogSoftmax", [g(2, 3, 2)], {"axis": axis}
    for exclusive in [0, 1]:
        for reverse in [0, 1]:
            yield "CumSum", [g(2, 4), np.array(1, dtype=np.int64)], {"exclusive": exclusive, "reverse": reverse}
    for a, b in [((2, 3), (3, 4)), ((3,), (3, 2)), ((2, 3), (3,)), ((3,), (3,)), ((2, 1), (1, 3)), ((1, 3), (3, 1)), ((2, 2, 3), (3, 2)), ((2, 1, 1, 3), (2, 3, 2))]:
        yield "MatMul", [g(*a), g(*b)], {}
    yield "Gemm", [g(3, 2), g(4, 3), g(4)], {"alpha": 0.5, "beta": 2.0, "transA": 1, "transB": 1}
    yield "Gemm", [g(2, 3), g(3, 4), g(2, 1)], {}
    for equation, *dims in [("ij,jk->ik", (2, 3), (3, 2)), ("...ij,...j->...i", (2, 3, 2), (2, 2)), ("bi,bi->b", (3, 2), (3, 2)), ("ij->ji", (2, 3)), ("i,j", (2,), (3,)), ("bij,jk", (2, 2, 3), (3, 2))]:
        yield "Einsum", [g(*each) for each in dims], {"equation": equation}
    yield "Det", [g(3, 3)], {}
    yield "Det", [g(4, 4)], {}
    yield "BatchNormalization", [g(2, 3), positive(3), g(3), g(3), positive(3)], {"epsilon": 0.125}
    yield "LayerNormalization", [g(2, 4), positive(4), g(4)], {"epsilon": 0.125}


def main():
    written = []
    for operator, operands, settings in cases():
        names = [f"o{k}" for k in range(len(operands))]
        node = helper.make_node(operator, names, ["y"], **settings)
        infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(o.dtype), o.shape) for n, o in zip(names, operands)]
        output = helper.make_tensor_value_info("y", onnx.TensorProto.DOUBLE, None)
        graph = helper.make_graph([node], "one", infos, [output])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
        (y,) = onnx.reference.ReferenceEvaluator(model).run(None, dict(zip(names, operands)))
        kind = lambda value: "i" if isinstance(value, int) else "f" if isinstance(value, float) else "s" if isinstance(value, str) else "ints"
        written.append({
            "operator": operator,
            "operands": [{"dims": list(o.shape), "whole": o.dtype == np.int64, "values": o.reshape(-1).tolist()} for o in operands],
            "settings": {name: {kind(value): value} for name, value in settings.items()},
            "y": {"dims": list(np.shape(y)), "values": np.asarray(y, dtype=float).reshape(-1).tolist()},
        })
    lines = ",\n".join(json.dumps(case) for case in written)
    (pathlib.Path(__file__).parent / "operators.json").write_text(f"[\n{lines}\n]\n")
    print(len(written), "cases")


if __name__ == "__main__":
    main()
